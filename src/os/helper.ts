// How procrun runs a helper program, such as ps(1) or mkfifo(1), while a user may type Ctrl+C or Ctrl+Z.

/**
 * The terminal sends typed signals to our process group. They would end or stop a helper in it, so a helper gets a session of its
 * own. (Node passes `detached` on to libuv, but its types lack it for spawnSync.)
 */
export const ownSession: object = { detached: true };

/**
 * Limit of attempts when a helper is killed from outside. One attempt is not enough: between fork(2) and setsid(2) the child is
 * still in our group.
 */
export const maxAttempts = 5;
