// Takes the place of `yoctocolors` in the bundle. execa has it for its verbose mode, which procrun does not use. As it is
// loaded it asks Node for the depth of colours, and Node then warns of a FORCE_COLOR beside a NO_COLOR, which is no mistake.
const plain = (text) => text;

export { plain as bold, plain as gray, plain as redBright, plain as yellowBright };
