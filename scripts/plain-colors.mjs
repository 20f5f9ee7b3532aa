// Replaces `yoctocolors` in the bundle. execa needs it only for its verbose mode, which procrun does not use. When loaded,
// yoctocolors asks Node for the colour depth, and Node then warns if FORCE_COLOR and NO_COLOR are both set, which is allowed.
const plain = (text) => text;

export { plain as bold, plain as gray, plain as redBright, plain as yellowBright };
