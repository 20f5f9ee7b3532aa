#!/usr/bin/env node
// The command `procrun`: loads the one file in dist/ that `npm ci` built, through V8's code cache where there is one to be
// trusted. Everything else is in src/.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');
const { crc32 } = require('node:zlib');

const bundle = path.join(__dirname, '../dist/procrun.cjs');
const cacheFile = path.join(__dirname, `../dist/procrun-${process.version}-${process.arch}.cache`);

// V8 does not check what it is given: one wrong byte crashes Node. So a checksum of the code and of the source that it
// belongs to goes before it, in a file as trustworthy as the bundle beside which it lies.
const headerLength = 8;

function readCache(source) {
  try {
    // Before 20.15 Node has no crc32: start without a cache.
    if (crc32 === undefined || fs.statSync(cacheFile).uid !== fs.statSync(bundle).uid) return undefined;
    const file = fs.readFileSync(cacheFile);
    const data = file.subarray(headerLength);
    return file.readUInt32LE(0) === crc32(source) && file.readUInt32LE(4) === crc32(data) ? data : undefined;
  } catch {
    return undefined;
  }
}

function writeCache(source, data) {
  const draft = `${cacheFile}.${process.pid}`;
  try {
    const header = Buffer.alloc(headerLength);
    header.writeUInt32LE(crc32(source), 0);
    header.writeUInt32LE(crc32(data), 4);
    fs.writeFileSync(draft, Buffer.concat([header, data]));
    fs.renameSync(draft, cacheFile);
  } catch {
    // Installed where we may not write: every start is without a cache then.
    fs.rmSync(draft, { force: true });
  }
}

const source = fs.readFileSync(bundle);
const cachedData = readCache(source);
const script = new vm.Script(require('node:module').wrap(source.toString()), { filename: bundle, ...(cachedData ? { cachedData } : {}) });
const loaded = { exports: {} };
script.runInThisContext()(loaded.exports, require, loaded, bundle, path.dirname(bundle));

loaded.exports.main({
  // Called after a run, when the functions that a run needs are compiled and can be kept with the rest.
  keepCompiledCode() {
    if (crc32 !== undefined && (cachedData === undefined || script.cachedDataRejected)) writeCache(source, script.createCachedData());
  },
});
