# The server over HTTP: docker build -t voucher-mcp .
# It reads its configuration from /etc/voucher-mcp/config.toml and writes to /data alone, so that
# `docker run --read-only --tmpfs /tmp` serves as well. deploy/compose.yaml has it whole.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY . .
RUN pip wheel --no-deps --wheel-dir /wheels . \
    && python -m venv /opt/voucher-mcp \
    && /opt/voucher-mcp/bin/pip install --constraint constraints.txt "$(ls /wheels/*.whl)[postgres,metrics]" \
    && /opt/voucher-mcp/bin/pip uninstall --yes pip

FROM python:${PYTHON}-slim
RUN groupadd --system --gid 10001 vouchers \
    && useradd --system --uid 10001 --gid vouchers --home-dir /data --no-create-home --shell /usr/sbin/nologin vouchers \
    && install --directory --mode 0700 --owner vouchers --group vouchers /data
COPY --from=build /opt/voucher-mcp /opt/voucher-mcp
ENV PATH=/opt/voucher-mcp/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    VOUCHER_MCP_CONFIG=/etc/voucher-mcp/config.toml \
    XDG_DATA_HOME=/data
USER vouchers
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["voucher-mcp"]
CMD ["serve", "--transport", "http", "--host", "0.0.0.0", "--port", "8000"]
