"""The one settings file; `env` reads each variable and refuses what it does not know."""

import os
from pathlib import Path
from typing import Any

from csp.constants import NONCE, NONE, SELF

from console.kernel import env, logs

BASE_DIR = Path(__file__).resolve().parent.parent

# --- environment
DEBUG = env.flag("SIGNALBOX_DEBUG", default=False)
DEMO = env.flag("SIGNALBOX_DEMO", default=False)
ENVIRONMENT = env.text("SIGNALBOX_ENVIRONMENT", default="development")
SECRET_KEY = env.text("SIGNALBOX_SECRET_KEY", default="")
if not SECRET_KEY:
    # Good enough for commands that sign nothing; check console.E001 refuses it where it matters.
    SECRET_KEY = "unset-" + os.urandom(16).hex()
    SECRET_KEY_IS_SET = False
else:
    SECRET_KEY_IS_SET = True
SECRET_KEY_FALLBACKS = env.words("SIGNALBOX_SECRET_KEY_FALLBACKS")
CONSOLE_HOST = env.text("SIGNALBOX_CONSOLE_HOST", default="localhost")
WIDGET_HOST = env.text("SIGNALBOX_WIDGET_HOST", default="127.0.0.1")
ALLOWED_HOSTS = [
    CONSOLE_HOST,
    WIDGET_HOST,
    *env.words("SIGNALBOX_ALLOWED_HOSTS"),
]
CSRF_TRUSTED_ORIGINS = env.words("SIGNALBOX_TRUSTED_ORIGINS")
LOCAL_DIR = Path(env.text("SIGNALBOX_LOCAL_DIR", default=str(BASE_DIR / ".local")))
SIGNALBOX_SIGNER_DIR = Path(env.text("SIGNALBOX_SIGNER_DIR", default=str(LOCAL_DIR / "signer")))
SIGNALBOX_STOP_FILE = Path(env.text("SIGNALBOX_STOP_FILE", default=str(LOCAL_DIR / "STOP")))
SWITCH_STALE_S = env.seconds("SIGNALBOX_SWITCH_STALE_S", default=5, least=1, most=30)

# --- apps
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "guardian",
    "rest_framework",
    "drf_spectacular",
    "template_partials",
    "console.kernel",
    "audit",
    "console.accounts",
    "approvals",
    "costs",
    "agents",
    "agents.controls",
    "agents.showcase.retail",
    "console.shell",
    "console.widget",
]
ROOT_URLCONF = "console.urls"
ASGI_APPLICATION = "console.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- middleware: outermost first
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "console.kernel.assets.Assets",
    "console.kernel.middleware.RequestContext",
    "console.kernel.middleware.OneOriginPerPurpose",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.common.CommonMiddleware",
    "audit.middleware.RecordRefusals",
    "console.kernel.middleware.Refusals",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "console.accounts.middleware.SetActor",
    "console.kernel.freshness.SeenTopics",
    "console.kernel.middleware.Bodies",
    "django.contrib.messages.middleware.MessageMiddleware",
]

# --- database
POOL_SIZE = env.whole("SIGNALBOX_POOL_SIZE", default=20, least=0, most=200)
AS_OWNER = env.flag("SIGNALBOX_AS_OWNER", default=False)


def _database(name: str, *, pooled: bool = False) -> dict[str, Any]:
    values = env.postgres(name, fallback="DATABASE_URL")
    values["CONN_MAX_AGE"] = 0 if pooled else 60
    options: dict[str, Any] = {**values["OPTIONS"]}  # type: ignore[dict-item]
    options.setdefault("application_name", "signalbox")
    if pooled and POOL_SIZE:
        options["pool"] = {"min_size": 1, "max_size": POOL_SIZE, "timeout": 20}
    values["OPTIONS"] = options
    return values


OWNER_URL_SET = bool(env.text("SIGNALBOX_OWNER_URL"))
DATABASES = {
    "default": _database("SIGNALBOX_OWNER_URL")
    if AS_OWNER
    else _database("DATABASE_URL", pooled=True),
    "owner": _database("SIGNALBOX_OWNER_URL"),
    "sealer": _database("SIGNALBOX_SEALER_URL"),
    "signer": _database("SIGNALBOX_SIGNER_URL"),
}

# --- Redis, Channels, Celery: hints and live text only
REDIS_URL = env.text("REDIS_URL", default="redis://127.0.0.1:6379/0")
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL]},
    }
}
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
}
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30.0
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 2,  # the relay must not stand still when Redis is away
}
CELERY_TASK_DEFAULT_QUEUE = env.text("SIGNALBOX_QUEUE", default="signalbox")

# --- sign-in
AUTH_USER_MODEL = "accounts.Person"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None  # guardian: nobody has rights without signing in
GUARDIAN_USER_OBJ_PERMS_MODEL = "accounts.ObjectGrant"  # guardian's own has no tenant
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "accounts:sign-in"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "console.kernel.middleware.answer_csrf"

# --- security
BEHIND_TLS = env.flag("SIGNALBOX_BEHIND_TLS", default=False)
SESSION_COOKIE_SECURE = BEHIND_TLS
CSRF_COOKIE_SECURE = BEHIND_TLS
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 31536000 if BEHIND_TLS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "require-trusted-types-for": ["'script'"],
        "trusted-types": ["htmx"],
    }
}

# --- templates and static files
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "console.shell.context.frame",
            ],
        },
    }
]
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = LOCAL_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns when it is missing
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"

# --- REST
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "EXCEPTION_HANDLER": "console.kernel.rest.answer_error",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Signalbox",
    "VERSION": "1",
    "DESCRIPTION": "The API of the operator console for AI agents.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": [],  # drf-spectacular's own would rename enums that we have named
}

# --- models
ANTHROPIC_API_KEY = env.text("ANTHROPIC_API_KEY")
ANTHROPIC_BASE_URL = env.text("ANTHROPIC_BASE_URL")
MODEL_NAME = env.text("SIGNALBOX_MODEL", default="claude-sonnet-5-5")
LEASE_S = env.seconds("SIGNALBOX_LEASE_S", default=30, least=2, most=300)

# --- notices
BEGINS = "https" if BEHIND_TLS else "http"
PUBLIC_URL = env.text("SIGNALBOX_PUBLIC_URL", default=f"{BEGINS}://{CONSOLE_HOST}").rstrip("/")
ALLOW_PRIVATE_WEBHOOKS = env.flag("SIGNALBOX_ALLOW_PRIVATE_WEBHOOKS", default=False)
MAIL = env.mail("EMAIL_URL")
EMAIL_BACKEND = MAIL.backend
EMAIL_FILE_PATH = LOCAL_DIR / "outbox"  # without a server, for a newcomer to look into
EMAIL_HOST, EMAIL_PORT = MAIL.host, MAIL.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL.user, MAIL.password
EMAIL_USE_TLS, EMAIL_USE_SSL = MAIL.starttls, MAIL.tls
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text(
    "SIGNALBOX_MAIL_FROM", default=f"Signalbox <signalbox@{CONSOLE_HOST}>"
)

# --- limits
BODY_LIMIT = 2 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = BODY_LIMIT
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

# --- logging
LOG_LEVEL = env.text("SIGNALBOX_LOG_LEVEL", default="INFO")
LOGGING_CONFIG = None
logs.configure(as_json=env.flag("SIGNALBOX_LOG_JSON", default=True), level=LOG_LEVEL)

# Read by the local supervisor and the tests before Django starts.
env.text("SIGNALBOX_TEST_KEEP")
env.text("SIGNALBOX_CHROMIUM")
env.text("SIGNALBOX_PORT")
env.finish()
