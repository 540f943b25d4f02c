# Two stages: the compiler and the test tools stay in the first. Nothing is written at run time, so the root can be read-only.
# The digest says which build of the tag: a new one is a change like any other. docs/image.md tells how to renew it.
FROM node:24-bookworm-slim@sha256:6f7b03f7c2c8e2e784dcf9295400527b9b1270fd37b7e9a7285cf83b6951452d AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json ./
COPY scripts ./scripts
COPY src ./src
# Maps of the sources serve nobody there.
RUN npm run build && npm prune --omit=dev && node scripts/sbom.js > sbom.cdx.json \
  && find dist node_modules -name '*.map' -delete
# Code compiled ahead, for a quicker start. Node keeps it by user, so the one that will run it makes it; then it is root's, for all to
# read and nobody else to write. It holds for this Node at this path.
RUN rm -rf dist/compile-cache && install -d -o node dist/compile-cache \
  && runuser -u node -- node scripts/compile-cache.js \
  && chown -R root:root dist/compile-cache && chmod -R a=rX,u+w dist/compile-cache

FROM node:24-bookworm-slim@sha256:6f7b03f7c2c8e2e784dcf9295400527b9b1270fd37b7e9a7285cf83b6951452d
ARG VERSION=0.2.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Postern" \
  org.opencontainers.image.description="A reverse-proxy security sidecar" \
  org.opencontainers.image.version="$VERSION" \
  org.opencontainers.image.revision="$REVISION" \
  org.opencontainers.image.base.name="docker.io/library/node:24-bookworm-slim"
ENV NODE_ENV=production
# Every command reads it, `docker exec ... node dist/main.js check` too. As shipped it holds no keys and refuses everybody:
# mount keys or a whole configuration over it.
ENV POSTERN_CONFIG=/etc/postern/postern.yaml
WORKDIR /app
COPY package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/sbom.cdx.json ./
COPY deploy/image/healthcheck.sh ./
COPY config/postern.schema.json config/keys.schema.json ./config/
COPY config/image /etc/postern
USER node
EXPOSE 8080 9090
# Set POSTERN_ADMIN_PORT if the configuration moves the admin port.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["/app/healthcheck.sh"]
# Without the option, a SIGUSR1 in the first tenth of a second would open Node's debugger.
ENTRYPOINT ["node", "--disable-sigusr1", "/app/dist/main.js"]
CMD ["serve"]
