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

function isWritable(folder) {
  try {
    fs.accessSync(folder, fs.constants.W_OK);
    return true;
  } catch {
    // Installed by somebody else: every start is without a cache then.
    return false;
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
    // A full disk; the next run tries again.
    fs.rmSync(draft, { force: true });
  }
}

function load() {
  const source = fs.readFileSync(bundle);
  const cachedData = readCache(source);
  const script = new vm.Script(require('node:module').wrap(source.toString()), { filename: bundle, ...(cachedData ? { cachedData } : {}) });
  const loaded = { exports: {} };
  script.runInThisContext()(loaded.exports, require, loaded, bundle, path.dirname(bundle));
  return { script, main: loaded.exports.main, isCached: cachedData !== undefined && !script.cachedDataRejected };
}

const { script, main, isCached } = load();

// The young generation does not grow: a runner mostly waits, and this is 2 MiB less with ten processes, 20 with 500. Not
// in a run that writes the cache: V8 believes it only under the very flags under which it was made.
if (isCached) require('node:v8').setFlagsFromString('--semi-space-growth-factor=1');

main({
  // Called after a run, when the functions that a run needs are compiled and can be kept with the rest. The source is read
  // again, since a megabyte kept for this one moment would be a megabyte more for all of a run.
  keepCompiledCode() {
    if (!isCached && crc32 !== undefined && isWritable(path.dirname(cacheFile))) writeCache(fs.readFileSync(bundle), script.createCachedData());
  },
});
