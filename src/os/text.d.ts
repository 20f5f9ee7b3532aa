// Types for files that the build includes as text.
declare module '*.sh' {
  const text: string;
  export default text;
}
