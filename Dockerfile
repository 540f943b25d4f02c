# Two stages: the compiler and the test tools stay in the first. Nothing is written at run time, so the root can be read-only.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build && npm prune --omit=dev

FROM node:24-bookworm-slim
ENV NODE_ENV=production
# Every command reads it, `docker exec ... node dist/main.js check` too. As shipped it holds no keys and refuses everybody:
# mount keys or a whole configuration over it.
ENV POSTERN_CONFIG=/etc/postern/postern.yaml
WORKDIR /app
COPY package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY config/postern.schema.json config/keys.schema.json ./config/
COPY config/image /etc/postern
USER node
EXPOSE 8080 9090
# Set POSTERN_ADMIN_PORT if the configuration moves the admin port. Kubernetes sets it to an URL for a Service `postern-admin`.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
  CMD ["node", "-e", "const set = process.env.POSTERN_ADMIN_PORT; fetch(`http://127.0.0.1:${/^\\d+$/.test(set) ? set : 9090}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Without the option, a SIGUSR1 in the first tenth of a second would open Node's debugger.
ENTRYPOINT ["node", "--disable-sigusr1", "/app/dist/main.js"]
CMD ["serve"]
