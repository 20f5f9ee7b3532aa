// Keys and conditions that are planned but do not work yet. The change that implements one removes it here.

export const unsupportedProcessKeys: readonly string[] = ['autostart', 'restart', 'ready', 'health', 'log'];

/** Conditions of `depends_on`. */
export const unsupportedConditions: readonly string[] = ['ready', 'completed'];
