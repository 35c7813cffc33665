"""Settings: projects, access, limits. What is wrong with them stops the start with a sentence."""

from voucher_mcp.config.base import Access
from voucher_mcp.config.errors import ConfigError
from voucher_mcp.config.http import Grant, HttpSettings, HttpToken
from voucher_mcp.config.loading import (
    configuration_file,
    load_settings,
    named_file,
    usual_file,
    variables_in_use,
)
from voucher_mcp.config.models import (
    TOOLSETS,
    BloomreachProject,
    Destructive,
    Limits,
    LocalProject,
    MewsProject,
    Profile,
    Project,
    Settings,
    Toolset,
    VoucherifyProject,
)
from voucher_mcp.config.substitution import Missing
from voucher_mcp.config.values import Database, data_file, is_loopback

__all__ = [
    "TOOLSETS",
    "Access",
    "BloomreachProject",
    "ConfigError",
    "Database",
    "Destructive",
    "Grant",
    "HttpSettings",
    "HttpToken",
    "Limits",
    "LocalProject",
    "MewsProject",
    "Missing",
    "Profile",
    "Project",
    "Settings",
    "Toolset",
    "VoucherifyProject",
    "configuration_file",
    "data_file",
    "is_loopback",
    "load_settings",
    "named_file",
    "usual_file",
    "variables_in_use",
]
