/**
 * Header fields in which whoever stands between a user and the backend says who the user is. They are believed by backends alone:
 * nobody is admitted by them, but no two users share what one of them was answered.
 */

/** In lower case, by who writes them. */
export const USER_FIELDS: ReadonlySet<string> = new Set(
  [
    // oauth2-proxy, Traefik, Envoy
    'x-forwarded-user x-forwarded-email x-forwarded-groups x-forwarded-preferred-username x-forwarded-access-token',
    'x-auth-request-user x-auth-request-email x-auth-request-groups x-auth-request-preferred-username',
    'x-auth-request-access-token x-forwarded-client-cert x-forwarded-tls-client-cert x-forwarded-tls-client-cert-info',
    // Apache, Shibboleth, Authelia, Grafana, authentik, Tailscale
    'remote-user remote-groups remote-email remote-name x-remote-user x-remote-group x-webauth-user',
    'x-authentik-username x-authentik-groups x-authentik-email x-authentik-uid x-authentik-jwt tailscale-user-login',
    // Amazon, Google, Cloudflare, Azure
    'x-amzn-oidc-identity x-amzn-oidc-data x-amzn-oidc-accesstoken x-goog-authenticated-user-email',
    'x-goog-authenticated-user-id x-goog-iap-jwt-assertion cf-access-jwt-assertion',
    'cf-access-authenticated-user-email x-ms-client-principal x-ms-client-principal-id x-ms-client-principal-name',
    // Applications
    'x-user x-user-id x-user-email x-userid x-username x-authenticated-user x-authenticated-userid x-impersonate-user',
  ].flatMap((names) => names.split(' ')),
);
