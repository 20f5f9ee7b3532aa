// Files that the build takes in as text.
declare module '*.sh' {
  const text: string;
  export default text;
}
