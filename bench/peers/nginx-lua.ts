/**
 * The policy of S1 for nginx's Lua, as somebody who knows both would write it: what a request costs that way is the yardstick for
 * Postern, which does the same and more.
 */
import { createHash } from 'node:crypto';
import { requireFile } from '../../test/support/tools.ts';

export interface LuaPolicy {
  readonly secret: string;
  readonly addresses: readonly string[];
  readonly events: readonly string[];
}

/** In the order in which nginx has to load them. */
const MODULES = ['/usr/lib/nginx/modules/ndk_http_module.so', '/usr/lib/nginx/modules/ngx_http_lua_module.so'];
const PARTS = [
  ...MODULES.map((file) => [file, 'libnginx-mod-http-lua'] as const),
  ['/usr/lib/x86_64-linux-gnu/lua/5.1/cjson.so', 'lua-cjson'],
  ['/usr/share/lua/5.1/nginx/sha256.lua', 'lua-nginx-string'],
] as const;

/** What makes nginx load Lua, once all is there that the policy stands on. Debian's places. */
export function loadLua(): string[] {
  for (const [file, debianPackage] of PARTS) requireFile(file, debianPackage);
  return MODULES.map((file) => `load_module ${file};`);
}

export function luaPolicy({ secret, addresses, events }: LuaPolicy): string {
  const digest = createHash('sha256').update(secret).digest('hex');
  const set = (names: readonly string[]): string =>
    `{${names.map((name) => `[${JSON.stringify(name)}] = true`).join(', ')}}`;
  return POLICY.replace('DIGEST', digest).replace('ADDRESSES', set(addresses)).replace('EVENTS', set(events));
}

const POLICY = `local cjson = require "cjson.safe"
local sha256 = require "nginx.sha256"
local to_hex = require "nginx.string".to_hex
local keys = { ["DIGEST"] = { addresses = ADDRESSES, events = EVENTS } }

local function refuse(status, code)
  ngx.status = status
  ngx.header["Content-Type"] = "application/problem+json"
  ngx.say(cjson.encode({ status = status, code = code, requestId = ngx.var.request_id }))
  return ngx.exit(status)
end

return function()
  local header = ngx.var.http_authorization
  local secret = header and header:match("^[Bb][Ee][Aa][Rr][Ee][Rr] +(.+)$")
  if not secret then return refuse(401, "missing_credential") end
  local hash = sha256:new()
  hash:update(secret)
  local key = keys[to_hex(hash:final())]
  if not key then return refuse(401, "invalid_credential") end
  if not key.addresses[ngx.var.remote_addr] then return refuse(403, "ip_not_allowed") end
  ngx.req.read_body()
  local body = cjson.decode(ngx.req.get_body_data() or "")
  if type(body) ~= "table" or type(body.events) ~= "table" then return refuse(400, "invalid_event_body") end
  local kept, cut = {}, false
  for _, event in ipairs(body.events) do
    if key.events[event.name] then kept[#kept + 1] = event else cut = true end
  end
  if cut then
    body.events = kept
    ngx.req.set_body_data(cjson.encode(body))
  end
end
`;
