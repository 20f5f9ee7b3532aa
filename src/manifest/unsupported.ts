// What is planned and understood, but does not work yet. A key leaves this list with the change that makes it work.

export const unsupportedProcessKeys: readonly string[] = ['autostart', 'restart', 'ready', 'health', 'log'];

/** Of `depends_on`. */
export const unsupportedConditions: readonly string[] = ['ready', 'completed'];
