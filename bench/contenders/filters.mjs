// The limits of the comparison: sed only puts a prefix before each line of one process; cat only copies the lines.
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

/** A sed that harms the output, to test that the check finds harm. It is not measured. @param script the sed script that does the harm */
export function faultySed(script) {
  return filter('faulty sed', (process) => `sed '${script}' | sed 's/^/${process} | /'`, sed.output);
}
