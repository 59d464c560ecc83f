"""The settings of the project; Surehook takes its own from the environment."""

import os
import secrets

ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DATABASE_PATH", "users.db"),
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
    }
}
INSTALLED_APPS = ["surehook.django", "users"]
ROOT_URLCONF = "urls"
SECRET_KEY = os.environ.get("SECRET_KEY", secrets.token_urlsafe())
USE_TZ = True
