/**
 * Replaces the references in a parsed document, after parsing, so that what they yield can never change the structure. Remembers which
 * texts came from outside of the file.
 */
import { Scalar, visit, type Document } from 'yaml';
import { schemasAt, takesType, type JsonSchema } from './json-schema.ts';
import { substitute, type References } from './substitution.ts';
import { pathOf } from './yaml-nodes.ts';

export interface Unresolved {
  readonly path: readonly PropertyKey[];
  readonly failure: string;
}

export interface Replacement {
  readonly document: Document;
  /** Of the document: tells where a reference may become a number, a boolean or null. */
  readonly schema: JsonSchema;
  readonly references: References;
  /** Gets the nodes whose text came from outside the file. */
  readonly external: Set<unknown>;
}

/** Replaces references in every string value, in place; names of fields are left alone. */
export function replaceReferences({ document, schema, references, external }: Replacement): Unresolved[] {
  const unresolved: Unresolved[] = [];
  visit(document, {
    Scalar(key, node, ancestors) {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('${')) return;
      const { text, failures, referenced, ...source } = substitute(node.value, references);
      const path = pathOf([...ancestors, node]);
      unresolved.push(...failures.map((failure) => ({ path, failure })));
      if (source.external) external.add(node);
      node.value = referenced ? asWanted(text, node.type === Scalar.PLAIN, schemasAt(schema, path)) : text;
    },
  });
  return unresolved;
}

/**
 * What a text with references means where the schema takes no text: `port: ${PORT:-8080}` is a number. Where it takes
 * text or null, an unquoted one that came out empty is null, as an empty YAML value is.
 */
function asWanted(text: string, plain: boolean, schemas: readonly JsonSchema[]): unknown {
  if (plain && takesType(schemas, 'null') && /^(?:|~|null)$/i.test(text)) return null;
  if (takesType(schemas, 'string')) return text;
  if (takesType(schemas, 'boolean') && /^(?:true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  const numeric = takesType(schemas, 'number') || takesType(schemas, 'integer');
  return numeric && /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(text) ? Number(text) : text;
}
