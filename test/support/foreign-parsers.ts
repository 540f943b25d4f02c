/**
 * JSON parsers of other languages, as far as they are on this machine: which event names each finds in a body.
 * Bodies go in as base64, one a line; a list of names comes out for each, or null for a body that the parser refuses.
 */
import { spawnSync } from 'node:child_process';

export interface ForeignParser {
  readonly name: string;
  /** The names that the parser finds in each body; null where it refuses the body. Something else than text is null. */
  readonly namesIn: (bodies: readonly Buffer[]) => readonly (readonly (string | null)[] | null)[];
}

/** Each finds the batch under `events`, in the top-level array, or takes the object for the one event. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  python3: ['-c', python('dict')],
  'python3 (first member wins)': ['-c', python('lambda pairs: dict(reversed(pairs))')],
  'python3 (letter case ignored)': ['-c', python('lambda pairs: {k.lower(): v for k, v in pairs}')],
  'python3 (letter case ignored, first member wins)': [
    '-c',
    python('lambda pairs: {k.lower(): v for k, v in reversed(pairs)}'),
  ],
  perl: [
    '-MJSON::PP',
    '-MMIME::Base64',
    '-e',
    `my $json = JSON::PP->new->utf8->allow_nonref; my $out = JSON::PP->new->ascii->allow_nonref;
    while (<STDIN>) { my $names = eval { my $d = $json->decode(decode_base64($_));
      my $e = ref $d eq 'ARRAY' ? $d : ref $d eq 'HASH' && ref $d->{events} eq 'ARRAY' ? $d->{events} : [$d];
      [map { ref $_ eq 'HASH' && defined $_->{name} && !ref $_->{name} ? "$_->{name}" : undef } @$e] };
      print $out->encode($names), "\\n"; }`,
  ],
  ruby: [
    '-rjson',
    '-rbase64',
    '-e',
    `STDIN.each_line { |l| names = begin d = JSON.parse(Base64.decode64(l).force_encoding('UTF-8'))
      e = d.is_a?(Array) ? d : d.is_a?(Hash) && d['events'].is_a?(Array) ? d['events'] : [d]
      e.map { |x| x.is_a?(Hash) && x['name'].is_a?(String) ? x['name'] : nil } rescue nil end
      puts JSON.generate(names, ascii_only: true) }`,
  ],
  php: [
    '-r',
    `while (($l = fgets(STDIN)) !== false) { $d = json_decode(base64_decode($l), true, 512); $names = null;
      if (json_last_error() === JSON_ERROR_NONE) { $e = is_array($d) && isset($d['events']) && is_array($d['events']) ? $d['events'] : (is_array($d) && array_is_list($d) ? $d : [$d]);
        $names = array_map(fn($x) => is_array($x) && isset($x['name']) && is_string($x['name']) ? $x['name'] : null, array_values($e)); }
      echo json_encode($names), "\\n"; }`,
  ],
  jq: [
    '-Rc',
    '--unbuffered',
    `try (@base64d | fromjson | if type == "array" then . elif type == "object" and (.events | type) == "array" then .events else [.] end
      | map(if type == "object" and (.name | type) == "string" then .name else null end)) catch null`,
  ],
};

/** The parsers whose program can be started. */
export function foreignParsers(): readonly ForeignParser[] {
  return Object.entries(PROGRAMS)
    .map(([name, args]) => parser(name, args))
    .filter(({ namesIn }) => {
      try {
        return JSON.stringify(namesIn([Buffer.from('{"events":[{"name":"a"}]}')])) === '[["a"]]';
      } catch {
        return false;
      }
    });
}

function parser(name: string, args: readonly string[]): ForeignParser {
  return {
    name,
    namesIn: (bodies) => {
      const input = bodies.map((body) => `${body.toString('base64')}\n`).join('');
      const { stdout, error } = spawnSync(name.split(' ')[0] as string, args, { input, maxBuffer: 1 << 30 });
      if (error !== undefined) throw error;
      const lines = stdout.toString().trimEnd().split('\n');
      if (lines.length !== bodies.length)
        throw new Error(`${name} read ${bodies.length} bodies and told of ${lines.length}`);
      return lines.map((line) => JSON.parse(line) as readonly (string | null)[] | null);
    },
  };
}

function python(pairsHook: string): string {
  return `
import base64, json, sys
for line in sys.stdin:
    try:
        d = json.loads(base64.b64decode(line).decode('utf-8'), object_pairs_hook=${pairsHook})
        e = d if isinstance(d, list) else d['events'] if isinstance(d, dict) and isinstance(d.get('events'), list) else [d]
        names = [x['name'] if isinstance(x, dict) and isinstance(x.get('name'), str) else None for x in e]
    except (ValueError, RecursionError):
        names = None
    print(json.dumps(names))`;
}
