// The conformance suite wants `globSync` of node:fs, which Node.js 20 has not; nothing that is run here calls it.
import { register } from "node:module";

const fs = `export * from "node:fs"; export { default } from "node:fs"; export const globSync = () => [];`;
const hooks = `
  const fs = ${JSON.stringify(`data:text/javascript,${encodeURIComponent(fs)}`)};
  export const resolve = (name, context, next) =>
    name === "fs" ? { url: fs, shortCircuit: true } : next(name, context);`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
