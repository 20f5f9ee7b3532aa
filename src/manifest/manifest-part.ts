// One file of a manifest that has several, decoded, with the list for its mistakes. merge.ts puts the parts together.
import type { ManifestFile } from './load-request.ts';
import type { ProblemList } from './problem-list.ts';
import type { SourceText } from './source.ts';

export interface ManifestPart {
  readonly source: SourceText;
  readonly format: ManifestFile['format'];
  /** Takes offsets in this file. */
  readonly problems: ProblemList;
}
