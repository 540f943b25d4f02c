/**
 * The JSON Schemas in config/ and the tables of docs/configuration.md, made from the compiled schemas. Writes nothing.
 */
import { readFileSync } from 'node:fs';

const PAGE = 'docs/configuration.md';

/** The generated files of this part, each with its whole content. */
export async function configurationFiles() {
  const { CONFIG_JSON_SCHEMA } = await import('../../.build/src/config/config-json-schema.js');
  const { keyFileSchema } = await import('../../.build/src/keys/key-file.js');
  const { FIELD_TYPES } = await import('../../.build/src/keys/definition.js');
  return [
    { file: 'config/postern.schema.json', content: published(CONFIG_JSON_SCHEMA, 'Configuration of Postern') },
    { file: 'config/keys.schema.json', content: published(keyFileSchema(), 'API keys of Postern') },
    {
      file: PAGE,
      content: withSections(readFileSync(PAGE, 'utf8'), {
        configuration: configTables(CONFIG_JSON_SCHEMA),
        keys: table(fieldsOf(keyFileSchema().properties.keys.items), FIELD_TYPES),
      }),
    },
  ];
}

/** Replaces what stands between `<!-- generated: NAME -->` and `<!-- /generated -->`. */
function withSections(page, sections) {
  return page.replace(/(<!-- generated: (\w+) -->)[^]*?(<!-- \/generated -->)/g, (_, start, name, end) => {
    if (sections[name] === undefined) throw new Error(`${PAGE} wants a section ${name} that nobody generates`);
    return `${start}\n\n${sections[name]}\n\n${end}`;
  });
}

function published(schema, title) {
  const { $schema, ...rest } = schema;
  const reference = {
    type: 'string',
    pattern: '\\$\\{',
    description: 'A reference: ${NAME}, ${NAME:-default} or ${file:PATH}.',
  };
  return JSON.stringify({ $schema, title, ...withReferences(rest), $defs: { reference } });
}

/** Editors see the file before references are replaced, so that a number may still be `${PORT:-8080}` there. */
function withReferences(schema) {
  if (schema.properties !== undefined)
    return {
      ...schema,
      properties: Object.fromEntries(
        Object.entries(schema.properties).map(([name, field]) => [name, withReferences(field)]),
      ),
    };
  if (schema.additionalProperties?.properties !== undefined)
    return { ...schema, additionalProperties: withReferences(schema.additionalProperties) };
  if (schema.items !== undefined) return { ...schema, items: withReferences(schema.items) };
  const { description, default: preset, writeOnly, ...rule } = schema;
  const alternatives = (rule.anyOf ?? [rule]).map((option) =>
    isLeaf(option) ? withoutRedundantPattern(option) : withReferences(option),
  );
  const reference = { $ref: '#/$defs/reference' };
  const rules = alternatives.some(isAnyText) ? alternatives : [...alternatives, reference];
  return {
    description,
    ...(writeOnly && { writeOnly }),
    ...(preset !== undefined && { default: preset }),
    ...(rules.length > 1 ? { anyOf: rules } : rules[0]),
  };
}

const isLeaf = ({ properties, items, anyOf }) => properties === undefined && items === undefined && anyOf === undefined;

const isAnyText = (rule) =>
  [rule.type].flat().includes('string') && Object.keys(rule).every((keyword) => keyword === 'type');

function withoutRedundantPattern({ pattern, ...rule }) {
  return pattern === undefined || rule.format !== undefined ? rule : { ...rule, pattern };
}

function configTables({ properties: { apis, ...others } }) {
  const ordered = [
    'listen',
    'admin',
    'apis',
    ...Object.keys(others).filter((name) => name !== 'listen' && name !== 'admin'),
  ];
  return ordered
    .flatMap((name) =>
      name === 'apis'
        ? [section('`apis`', `${apis.description} Each takes these fields.`, fieldsOf(apis.additionalProperties))]
        : [section(`\`${name}\``, others[name].description, fieldsOf(others[name]))],
    )
    .join('\n\n');
}

const section = (title, text, rows) => `### ${title}\n\n${text}\n\n${table(rows)}`;

/** The fields of a mapping and of the mappings in it, in the order in which they are defined. */
function fieldsOf(schema, prefix = '') {
  const { properties, required = [] } = mappingOf(schema);
  return Object.entries(properties).flatMap(([field, rule]) => {
    const name = prefix + field;
    const inner = mappingOf(rule);
    const own = { name, rule, required: required.includes(field) };
    if (inner === undefined) return [own];
    const isSection = JSON.stringify(rule.default) === '{}';
    const fields = fieldsOf(rule, `${name}${isList(rule) ? '[]' : ''}.`);
    return isSection ? fields : [own, ...fields];
  });
}

/** The mapping that a value is, or that its alternatives or items are. */
function mappingOf(schema) {
  if (schema.properties !== undefined) return schema;
  if (schema.items !== undefined) return mappingOf(schema.items);
  return schema.anyOf?.map(mappingOf).find((option) => option !== undefined);
}

const isList = (schema) => schema.type === 'array' || (schema.anyOf ?? []).some(isList);

function table(fields, types) {
  const head =
    types === undefined ? ['field', 'value', 'default', 'meaning'] : ['field', 'value', 'default', 'types', 'meaning'];
  const rows = fields.map(({ name, rule, required }) => [
    `\`${name}\``,
    valueText(rule),
    required ? 'required' : defaultText(rule.default),
    ...(types === undefined ? [] : [types[name]?.join(', ') ?? 'all']),
    rule.description ?? '',
  ]);
  return [head, head.map(() => '---'), ...rows]
    .map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}

const defaultText = (value) =>
  value === undefined ? '' : `\`${typeof value === 'string' && value !== '' ? value : JSON.stringify(value)}\``;

function valueText(rule) {
  if (rule.anyOf !== undefined) return [...new Set(rule.anyOf.map(valueText))].join(' or ');
  if (rule.enum !== undefined) return rule.enum.map((name) => `\`${name}\``).join(', ');
  if (rule.const !== undefined) return `\`${rule.const}\``;
  return [rule.type]
    .flat()
    .map((type) => typeText(type, rule))
    .join(' or ');
}

function typeText(type, rule) {
  switch (type) {
    case 'integer':
      return `${rule.minimum} to ${rule.maximum}`;
    case 'number':
      return `${rule.minimum} to ${rule.maximum}, may have a fraction`;
    case 'boolean':
      return '`true`, `false`';
    case 'null':
      return '`null`';
    case 'array':
      return `list of: ${valueText(rule.items)}`;
    case 'object':
      return 'mapping';
    default:
      return rule.format === 'date-time' ? 'time (RFC 3339)' : 'text';
  }
}
