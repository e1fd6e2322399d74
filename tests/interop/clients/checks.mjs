// Runs named checks, each bounded in time, and says one line for each, with what its body returns to be said. The last line of standard output is
// read by run.sh.

const CHECK_MS = 15_000;

export class Checks {
  constructor(label) {
    this.label = label;
    this.failed = 0;
  }

  async run(name, body) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer in ${CHECK_MS} ms`)), CHECK_MS);
    });
    try {
      const detail = await Promise.race([body(), late]);
      console.log(`ok   ${this.label}: ${name}${typeof detail === "string" ? ` (${detail})` : ""}`);
    } catch (error) {
      this.failed += 1;
      console.log(`FAIL ${this.label}: ${name}: ${String(error?.message ?? error).replaceAll("\n", " ")}`);
    } finally {
      clearTimeout(timer);
    }
  }
}

export function equal(actual, expected, what) {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: ${a}, expected ${b}`);
}

export function holds(condition, what) {
  if (!condition) throw new Error(what);
}

/** The error with which `promise` ends. */
export async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("it was not refused");
}
