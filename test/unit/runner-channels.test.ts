// The pipes and the stop flag of an instance when another program has removed the folder of the run.
import { strict as assert } from 'node:assert';
import { chmodSync, closeSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { UnsafeFolder } from '../../src/control/runtime-folder.ts';
import { channelPaths, openChannels, raiseStopFile } from '../../src/runner/channels.ts';
import { spec } from './supervisor-support.ts';

const parent = mkdtempSync(join(tmpdir(), 'procrun-channels-'));
after(() => rmSync(parent, { recursive: true, force: true }));
let count = 0;
const missingFolder = (): string => join(parent, `base-${(count += 1)}`, 'manifest', 'run');

test('the stop file appears, and its folders are private', () => {
  const paths = channelPaths(missingFolder(), 'web', spec('web', { stopFlag: 'file' }));
  raiseStopFile(paths);
  assert.ok(paths.stopFile !== undefined && existsSync(paths.stopFile));
  for (const folder of [dirname(paths.stopFile), dirname(dirname(paths.stopFile)), dirname(dirname(dirname(paths.stopFile)))]) assert.equal(statSync(folder).mode & 0o777, 0o700);
});

test('the pipes of an instance that starts late are made again', () => {
  const channels = openChannels(channelPaths(missingFolder(), 'web', spec('web', { stderr: 'split', stopFlag: 'fd' })));
  assert.ok(channels.err !== undefined);
  channels.closeChildEnds();
  channels.closeStopFd();
  for (const fd of [channels.out, channels.err]) closeSync(fd);
});

test('a folder that is open to others by now gets no stop file', () => {
  const folder = missingFolder();
  mkdirSync(dirname(folder), { recursive: true });
  chmodSync(dirname(dirname(folder)), 0o777);
  assert.throws(() => raiseStopFile(channelPaths(folder, 'web', spec('web', { stopFlag: 'file' }))), UnsafeFolder);
});
