/**
 * References in text: `${NAME}`, `${NAME:-default}` and `${file:PATH}`; `$${` stands for a literal `${`.
 * What a reference yields is text and stays text: it is never read as YAML, nor searched for further references.
 */

/** Where references are looked up. `readFile` yields null for a file that cannot be read. */
export interface References {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => string | null;
}

export interface Substituted {
  readonly text: string;
  /** Whether something from outside the file went into the text; a default is not from outside. */
  readonly external: boolean;
  /** Whether there was any reference at all. */
  readonly referenced: boolean;
  /** One sentence for each reference that could not be resolved. */
  readonly failures: readonly string[];
}

const REFERENCE = /\$\$\{|\$\{([^}]*)(\}?)/g;
const VARIABLE = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([^]*))?$/;
const FILE = /^file:(.+)$/;

/** Replaces every reference in the text. As in a shell, `:-` also takes its default when the variable is set but empty. */
export function substitute(text: string, references: References): Substituted {
  const failures: string[] = [];
  let external = false;
  let referenced = false;
  const replaced = text.replace(REFERENCE, (whole: string, name: string | undefined, closing: string) => {
    if (name === undefined) return '${';
    referenced = true;
    const value =
      closing === '' ? `has a "\${" that is never closed; write "$\${" for a literal one` : resolve(name, references);
    if (typeof value === 'string') {
      failures.push(value);
      return whole;
    }
    external ||= value.external;
    return value.text;
  });
  return { text: replaced, external, referenced, failures };
}

/** The same value, written so that no text in it is a reference: for what must stay text when it goes into a file. */
export function withoutReferences(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('${', () => '$${');
  if (Array.isArray(value)) return value.map(withoutReferences);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutReferences(inner)]));
}

/** What one reference yields, or the sentence that says why it yields nothing. */
function resolve(name: string, { env, readFile }: References): { text: string; external: boolean } | string {
  const path = FILE.exec(name)?.[1];
  if (path !== undefined) {
    const content = readFile(path);
    return content === null
      ? `refers to the file ${JSON.stringify(path)}, which cannot be read`
      : { text: content.replace(/\r?\n$/, ''), external: true };
  }
  const variable = VARIABLE.exec(name);
  if (variable?.[1] === undefined)
    return `has a reference that is none of \${NAME}, \${NAME:-default} and \${file:PATH}; write "$\${" for a literal "\${"`;
  const set = Object.hasOwn(env, variable[1]) ? env[variable[1]] : undefined;
  const linked = set !== undefined && isServiceLink(variable[1], set);
  const value = linked ? undefined : set;
  const fallback = variable[2];
  if (value !== undefined && (value !== '' || fallback === undefined)) return { text: value, external: true };
  if (fallback !== undefined) return { text: fallback, external: false };
  const why = linked ? 'holds only what is set for a Service or a linked container of that name' : 'is not set';
  return `refers to the environment variable ${variable[1]}, which ${why}; set it or write \${${variable[1]}:-default}`;
}

/**
 * Whether Kubernetes or Docker set a variable by themselves: for a Service ("service links") or a linked container called NAME
 * they put NAME_PORT=tcp://ADDRESS:PORT and the like into the environment.
 */
const isServiceLink = (name: string, value: string): boolean => LINK_NAME.test(name) && LINK_VALUE.test(value);

const LINK_NAME = /_PORT(?:_\d+_(?:TCP|UDP|SCTP))?$/;
const LINK_VALUE = /^(?:tcp|udp|sctp):\/\/(?:\[[\da-f:.]+\]|[\da-f:.]+):\d{1,5}$/i;
