// The limits: sed, which puts a prefix before each line of one process and does nothing else, and cat, which does not even that.
function filter(name, words, output) {
  return {
    name,
    isFilter: true,
    joins: { throughput: { most: 1 } },
    output,
    command(_workbench, processes) {
      const [[process, argv]] = Object.entries(processes);
      return ['/bin/sh', '-c', `"$@" | ${words(process)}`, 'sh', ...argv];
    },
  };
}

export const sed = filter('sed', (process) => `sed 's/^/${process} | /'`, { separator: '| ', prefix: /^(?<name>\S+) \| $/ });
export const cat = filter('cat', () => 'cat', {});

/** Not measured, but to see whether the measure sees: a sed that harms the output. @param script what it does to it */
export function faultySed(script) {
  return filter('faulty sed', (process) => `sed '${script}' | sed 's/^/${process} | /'`, sed.output);
}
