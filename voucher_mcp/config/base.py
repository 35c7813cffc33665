"""What all tables of the configuration share."""

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

Access = Literal["read", "write"]  # from the strictest
ACCESS: tuple[Access, ...] = get_args(Access)


class Model(BaseModel):
    """A table: typed, frozen, and nothing unknown in it. Its errors repeat no value."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)
