/**
 * The one table of header names: what each is to Postern, on the way to the backend and on the way back.
 * A name is judged once and remembered, in bounded memory; values are never looked at.
 */
import { foldFieldName } from '../lib/header-list.ts';
import { ownText } from '../lib/own-text.ts';

export interface FieldRule {
  /** Lower case. */
  readonly name: string;
  readonly folded: string;
  /**
   * `authorization`: by policy. `body`: only while the body is as the client sent it. `coding`: only while it may be coded.
   * `method`: only where no method is judged.
   */
  readonly toUpstream: 'pass' | 'drop' | 'authorization' | 'body' | 'coding' | 'method';
  /** `cors`: unless Postern gives its own. `trailer`: only while trailers can follow. */
  readonly toClient: 'pass' | 'drop' | 'cors' | 'trailer';
  /** Whether `Connection` may declare it hop-by-hop (RFC 9110 7.6.1). */
  readonly mayBeNominated: boolean;
  /** Whether it may come after the content, on the way to the client. */
  readonly mayTrail: boolean;
}

/** RFC 9110 7.6.1, and the older ones that implementations still speak. Content-Length is framing: set anew. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/** Set by Postern or by the dispatcher, so never taken from the client in any spelling. */
const SET_BY_POSTERN: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-request-id',
]);

/**
 * What some backends believe about path, host, scheme, address or method, against what was judged or is set here. Whoever sends
 * it: of a trusted proxy, X-Forwarded-For and X-Forwarded-Proto alone are believed, and those are written anew. With one who
 * reads each; names that say what they are come by the patterns below.
 */
const NEVER_FORWARDED: ReadonlySet<string> = new Set([
  // The path.
  'x-waws-unencoded-url', // Azure App Service
  'x-script-name', // the usual WSGI "ReverseProxied" middleware
  'script-name', // gunicorn (forwarder_headers)
  'path-info', // gunicorn (forwarder_headers)
  'x-traversal-path', // Plack::Middleware::ReverseProxyPath
  'request-base', // Dancer
  'x-request-base', // Catalyst and Mojolicious behind a path
  'x-vhm-root', // repoze.vhm
  'x-invoke-path', // Next.js
  'x-invoke-query', // Next.js
  'x-matched-path', // Next.js
  'x-middleware-subrequest', // Next.js: leaves its middleware out
  'x-now-route-matches', // Next.js, Nitro
  'x-ingress-path', // applications behind Home Assistant
  'aspfiltersessionid', // ASP.NET: a part of the path that it takes out
  // The host.
  'x-host', // the usual host fallbacks of Node and PHP applications
  'x-http-host-override', // Java portals
  'disguised-host', // Azure App Service
  'x-vhm-host', // repoze.vhm
  // The scheme.
  'x-scheme', // Tornado, "ReverseProxied", ingress-nginx
  'x-url-scheme', // Echo, Fiber
  'front-end-https', // Yii, CodeIgniter, phpMyAdmin, Microsoft's gateways
  'x-arr-ssl', // IIS Application Request Routing, express-force-ssl
  'x-proxied-https', // Jetty
  'proxy-auth-cert', // Jetty
  'proxy-ssl-id', // Jetty
  'x-https', // mod_wsgi (WSGITrustedProxyHeaders)
  'x-proto', // WordPress plug-ins
  'from-https', // PHP applications
  'ssl-offloaded', // Magento
  'fastly-ssl', // Fastly
  'wl-proxy-ssl', // WebLogic
  'cf-visitor', // Cloudflare, as WordPress plug-ins read it
  'https', // CGI and PHP read it as HTTP_HTTPS
  'https-from-lb', // phpMyAdmin
  'scheme', // phpMyAdmin
  // The address.
  'x-proxyuser-ip', // Google's services
  'x-appengine-user-ip', // request-ip of npm
  'x-azure-socketip', // Azure Front Door
  'x-envoy-external-address', // Envoy
  'x-vercel-proxied-for', // Vercel
  'cloudfront-viewer-address', // CloudFront
  'cf-pseudo-ipv4', // request-ip of npm
  'x-nf-client-connection-ip', // Netlify
  'cdn-src-ip', // CDNetworks
  'coming-from', // phpMyAdmin
  'x-coming-from', // phpMyAdmin
  // Where files lie, which only the server in front may say.
  'x-sendfile-type', // Rack::Sendfile, Symfony
  'x-accel-mapping', // Rack::Sendfile, Symfony
  // This hop's own.
  'trailer',
  'expect',
  // CGI hands it to the backend's own HTTP client as its proxy ("httpoxy").
  'proxy',
]);

/**
 * `Forwarded` (RFC 7239) and all of its family: X-Forwarded, Forwarded-For, X-Forwarded-Ssl, -Scheme, -Protocol, -Port, -Server,
 * -By, -Path, -PathBase, -Prefix (Rack, Rails, Spring, Tomcat, Jetty, Symfony, Laravel, Werkzeug, gorilla, gunicorn), and what
 * hosts put in front of it (X-Vercel-Forwarded-For, CloudFront-Forwarded-Proto, X-Original-Forwarded-For).
 */
const FORWARDED = /(?:^|-)forwarded(?:-|$)/;

/**
 * Whose credentials an authenticating proxy in front checked (oauth2-proxy, Envoy, Traefik). Postern neither judges by a user
 * nor sets one: it passes like any other name.
 */
const FORWARDED_USER =
  /^x-forwarded-(?:user|email|groups|preferred-username|access-token|client-cert|tls-client-cert(?:-info)?)$/;

/**
 * An address by whatever vendor: X-Real-IP, Client-IP (Rails, PHP), True-Client-IP (chi), X-Client-IP, X-Cluster-Client-IP,
 * Proxy-Client-IP and WL-Proxy-Client-IP (Java), CF-, DO-, Fastly-, Fly- and Incap-Client-IP or -Connecting-IP,
 * X-Azure-ClientIP, Ali-CDN-Real-IP, X-Appengine-Remote-Addr (Gin), X-Remote-IP, X-Originating-IP.
 */
const ADDRESS = /(?:^|-)(?:client-?ip|real-?ip|connecting-ip(?:v6)?|remote-(?:addr|ip|host)|originating-ip)$/;

/**
 * What the request was before somebody rewrote it: X-Original-URL, X-Rewrite-URL (Symfony, Zend, Yii, IIS), X-Original-URI and
 * -Method (what nginx asks auth_request services about), X-Original-Host, -Proto, -For and -Prefix (ASP.NET Core, Azure),
 * X-Envoy-Original-Path, X-Replaced-Path (Traefik).
 */
const REWRITTEN =
  /^x-(?:envoy-)?(?:original|rewrite|override|replaced)-(?:url|uri|path|prefix|query|host|port|proto|scheme|for|ip|method)$/;

/**
 * What the server in front saw: X-ProxyHost and the like (Apache NiFi), X-Client-Scheme and -Proto (PHP behind Alibaba's CDN),
 * X-ApiGateway-Event and -Context with the claims of a user (aws-serverless-express), X-Astro-Path and -Locals (Astro on Vercel).
 */
const SEEN_IN_FRONT =
  /^x-(?:proxy(?:scheme|host|port|contextpath)|client-(?:scheme|proto)|apigateway-(?:event|context)|astro-(?:path|locals))$/;

/** What WebSphere's plug-in says of a request, and Liberty believes: $WSRA the address, $WSSC the scheme, $WSSN the host. */
const WEBSPHERE = /^-ws[a-z]{2}$/;

/**
 * What stands for another method than the request's own: X-HTTP-Method, X-HTTP-Method-Override (Rack, Symfony, Spring, Echo) and
 * further ones, X-Method-Override (method-override of npm).
 */
const METHOD = /^(?:x-http-method(?:-|$)|(?:x-)?method-override$)/;

/** Postern judges by these: the genuine field passes, a look-alike that a backend would read in its place does not. */
const JUDGED: ReadonlySet<string> = new Set([
  'authorization',
  'content-type',
  'content-encoding',
  'content-transfer-encoding',
  'origin',
  'sec-fetch-site',
  'cache-control',
  'access-control-request-method',
  'access-control-request-headers',
]);

/** They describe the body as the client sent it (RFC 1864, RFC 3230, RFC 9530). */
const BOUND_TO_BODY: ReadonlySet<string> = new Set(['content-md5', 'digest', 'content-digest', 'repr-digest']);

/** End-to-end by nature: a sender that names one in `Connection` is mistaken or means to change what was judged. */
const NEVER_NOMINATED: ReadonlySet<string> = new Set(['cookie', 'set-cookie', 'vary', 'www-authenticate', 'date']);

/** Framing, routing, authentication, control data and content format: of no use or harmful once the content is read. */
const NEVER_TRAILING: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'content-range',
  'cache-control',
  'expires',
  'age',
  'date',
  'vary',
  'location',
  'retry-after',
  'authorization',
  'www-authenticate',
  'set-cookie',
]);

const MAX_REMEMBERED = 2_048;
const MAX_REMEMBERED_LENGTH = 64;

const remembered = new Map<string, FieldRule>();

/** The rule for a field name, in whatever case it came. */
export function ruleOf(name: string): FieldRule {
  const known = remembered.get(name);
  if (known !== undefined) return known;
  if (name.length > MAX_REMEMBERED_LENGTH) return judge(name.toLowerCase());
  // Of a backend's answer it is a view of the whole head.
  const own = ownText(name);
  const rule = judge(own.toLowerCase());
  // Invented names can flush what is remembered, never make it grow; the usual ones are back with the next request.
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  remembered.set(own, rule);
  return rule;
}

function judge(name: string): FieldRule {
  const folded = foldFieldName(name);
  const back = toClient(name, folded);
  return {
    name,
    folded,
    toUpstream: toUpstream(name, folded),
    toClient: back,
    mayBeNominated: !JUDGED.has(folded) && !NEVER_NOMINATED.has(folded) && !folded.startsWith('content-'),
    mayTrail: back === 'pass' && !NEVER_TRAILING.has(folded),
  };
}

function toUpstream(name: string, folded: string): FieldRule['toUpstream'] {
  // Some look for `HTTP_CLIENT_IP` among the names of fields, which it is not: only CGI calls `Client-IP` so.
  const meant = folded.startsWith('http-') ? folded.slice('http-'.length) : folded;
  if (meant.startsWith('postern-') || HOP_BY_HOP.has(meant)) return 'drop';
  if (SET_BY_POSTERN.has(meant) || NEVER_FORWARDED.has(meant)) return 'drop';
  if (ADDRESS.test(meant) || REWRITTEN.test(meant) || WEBSPHERE.test(meant)) return 'drop';
  if (SEEN_IN_FRONT.test(meant)) return 'drop';
  if (FORWARDED.test(meant) && !FORWARDED_USER.test(meant)) return 'drop';
  if (name !== meant && (JUDGED.has(meant) || BOUND_TO_BODY.has(meant))) return 'drop';
  if (METHOD.test(meant)) return 'method';
  if (name === 'authorization') return 'authorization';
  // MIME's coding is none of HTTP (RFC 9110 has no such field), but readers made for mail undo it.
  if (name === 'content-encoding' || name === 'content-transfer-encoding') return 'coding';
  return BOUND_TO_BODY.has(name) ? 'body' : 'pass';
}

function toClient(name: string, folded: string): FieldRule['toClient'] {
  if (name.startsWith('postern-') || HOP_BY_HOP.has(name)) return 'drop';
  if (name === 'trailer') return 'trailer';
  return folded.startsWith('access-control-') ? 'cors' : 'pass';
}
