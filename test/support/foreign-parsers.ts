/**
 * JSON parsers of other languages, as far as they are on this machine: which event names each finds in a body.
 * Bodies go in as base64, one a line; a list of names comes out for each, or null for a body that the parser refuses.
 */
import { spawnSync } from 'node:child_process';
import { requireTool } from './tools.ts';

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

/** What a backend received, as far as it may read events in it. */
export interface ReceivedEvents {
  readonly url: string;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly body: Buffer;
}

/**
 * The names that lenient backends find in what they received: in the body as JSON, decoded and as it stands; as base64, if asked to, passing
 * over what is none; as a form, if a parser could take its type for one; and in the query. Names are the values of `member` in
 * an object, in each item of an array, or in what stands under `events`, `batch` or `data`.
 */
export function lenientNamesIn(
  requests: readonly ReceivedEvents[],
  { base64, member }: { readonly base64: boolean; readonly member: string },
): readonly (readonly string[])[] {
  const input = requests.map(
    (request) => `${JSON.stringify({ ...request, base64, member, body: request.body.toString('base64') })}\n`,
  );
  const { stdout, stderr, error } = spawnSync(requireTool('python3', 'python3'), ['-c', LENIENT], {
    input: input.join(''),
    maxBuffer: 1 << 30,
  });
  if (error !== undefined) throw error;
  const lines = stdout.toString().trimEnd().split('\n');
  if (lines.length !== requests.length) throw new Error(`python3: ${stderr.toString()}`);
  return lines.map((line) => JSON.parse(line) as readonly string[]);
}

const LENIENT = `
import base64, gzip, json, re, sys, zlib
from urllib.parse import parse_qsl, urlsplit

def names(value, deep=True):
    found = []
    if isinstance(value, list):
        for item in value: found += names(item, False)
    if isinstance(value, dict):
        value = {k.lower(): v for k, v in value.items()}
        batches = [value[k] for k in ('events', 'batch', 'data') if value.get(k)] if deep else []
        for batch in batches: found += text(batch) if isinstance(batch, str) else names(batch, False)
        if not batches: found += [value[k] for k in (member,) if isinstance(value.get(k), str)]
    return found

def parsed(data):
    try: return names(json.JSONDecoder().raw_decode(data.decode('utf-8-sig', 'replace').lstrip())[0])
    except (ValueError, RecursionError): return []

def in_base64(data):
    found = []
    for change in (lambda d: d, lambda d: d.translate(bytes.maketrans(b'-_', b'+/')), lambda d: d.replace(b' ', b'+')):
        kept = re.sub(rb'[^A-Za-z0-9+/]', b'', change(data))
        found += parsed(base64.b64decode(kept[:len(kept) // 4 * 4]))
    return found

def text(value):
    data = value.encode('utf-8', 'surrogatepass')
    return parsed(data) + in_base64(data)

def decodings(data, coding):
    yield data
    for decode in (gzip.decompress, zlib.decompress):
        if coding:
            try: yield decode(data)
            except Exception: pass

def in_form(data):
    found = []
    for pair in re.split('[&;]', data.decode('latin-1')):
        for key, value in parse_qsl(pair, keep_blank_values=True):
            key = re.sub(r'[.\\[].*', '', key.strip().lower())
            found += text(value) if key in ('data', 'events', 'batch') else [value] if key == member else []
    return found

for line in sys.stdin:
    request = json.loads(line)
    member = request['member']
    body = base64.b64decode(request['body'])
    kind = (request.get('contentType') or '').lower()
    found = in_form(urlsplit(request['url']).query.encode())
    for data in decodings(body, request.get('contentEncoding')):
        found += parsed(data) + (in_base64(data) if request['base64'] else [])
        if kind == '' or re.search('urlencoded|multipart|form-data', kind): found += in_form(data)
    print(json.dumps(found))
`;
