// The environment without a YAML manifest, for a Procfile and for a command alone: env files and the real environment, nothing else.
import { resolve } from 'node:path';
import { defaultEnvFile } from './defaults.ts';
import { EnvFiles, missingEnvFile } from './env-file.ts';
import { baseVariables, realVariables, toRecord, type Variables } from './environment.ts';
import { envFileRequest, type LoadRequest } from './load-request.ts';
import { ProblemList } from './problem-list.ts';
import { SourceText } from './source.ts';
import { variableMistakes } from './text-sizes.ts';
import type { Problem } from './types.ts';

type Request = Pick<LoadRequest, 'root' | 'environment' | 'defaultVariables' | 'readFile' | 'envFiles' | 'envFileOverrides'>;

/** The same layers as in a YAML manifest: env files stand below the real environment, unless they override it. */
export async function readFlatEnvironment(request: Request, problems: ProblemList): Promise<Variables> {
  const reader = new EnvFiles(request.readFile, problems);
  const named = request.envFiles.length > 0 ? request.envFiles.map(envFileRequest) : [{ path: resolve(request.root, defaultEnvFile), required: false }];
  const files: Variables[] = [];
  for (const { path, required } of named) {
    const file = await reader.load(path);
    if ('variables' in file) files.push(file.variables);
    else if ('mistake' in file) problems.error(undefined, file.mistake);
    else if (required) problems.error(undefined, missingEnvFile(path));
  }
  const variables = baseVariables({ defaults: realVariables(request.defaultVariables ?? {}), files, real: realVariables(request.environment), filesOverride: request.envFileOverrides });
  for (const { message, hint } of variableMistakes(variables)) problems.error(undefined, message, hint);
  return variables;
}

/** The environment of a command for which there is no manifest. If there is an error, the caller must not use the variables. */
export async function loadFlatEnvironment(request: Request): Promise<{ readonly env: Readonly<Record<string, string>>; readonly problems: Problem[] }> {
  const problems = new ProblemList('', new SourceText(''));
  const env = toRecord(await readFlatEnvironment(request, problems));
  return { env, problems: problems.toProblems() };
}
