#!/usr/bin/env node
// The command `procrun`: loads the one file in dist/ that `npm ci` built, nothing else.
import { createRequire } from 'node:module';

createRequire(import.meta.url)('../dist/procrun.cjs');
