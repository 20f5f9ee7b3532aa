#!/usr/bin/env node
// The command `procrun`: loads the one file in dist/ that `npm ci` built, nothing else.
'use strict';

require('../dist/procrun.cjs');
