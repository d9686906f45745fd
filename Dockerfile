# The control plane: the binary `toygres` with the playground in it. Build it from the root of the repository:
#
#   docker build -t toygres:0.1.0 .
#
# `docker compose up` builds the stage `local` instead, which brings PostgreSQL: see compose.yaml.
# scripts/pin-images pins the bases to digests.

FROM node:22-bookworm-slim AS playground
WORKDIR /src/web-playground
COPY web-playground/package.json web-playground/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY schema.graphql README.md /src/
COPY docs/ /src/docs/
COPY web-playground/ ./
RUN npm run build

FROM rust:1.94-slim-bookworm AS server
# The database driver of the workflow engine, kube and the Azure client share one TLS stack, OpenSSL.
RUN apt-get update \
 && apt-get install -y --no-install-recommends pkg-config libssl-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
COPY --from=playground /src/web-playground/dist web-playground/dist
# No cache mounts: builders of registries (az acr build) do not know them.
RUN cargo build --release --locked --package toygres-server \
 && cp target/release/toygres /toygres

# One machine without Kubernetes: the instances are processes of the container.
FROM postgres:18-bookworm AS local
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libssl3 \
 && rm -rf /var/lib/apt/lists/* \
 && install --directory --owner postgres --group postgres --mode 700 /var/lib/toygres /var/lib/toygres-backups
COPY --from=server /toygres /usr/local/bin/toygres
ENV TOYGRES_DATA_DIR=/var/lib/toygres
# The second one is the store of backups.
VOLUME /var/lib/toygres /var/lib/toygres-backups
USER postgres
ENTRYPOINT ["toygres"]
CMD ["serve"]

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libssl3 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin toygres
COPY --from=server /toygres /usr/local/bin/toygres
COPY LICENSE /usr/share/doc/toygres/LICENSE
RUN toygres licenses >/usr/share/doc/toygres/third-party
USER 10001:10001
EXPOSE 8080
ENTRYPOINT ["toygres"]
CMD ["serve"]
