"""The engine and a model of it say the same, whatever is done in whichever order."""

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.databases.database import NewDatabase
from tests.engine.model.counter import open_counter
from tests.engine.model.machine import Machine

EXPLORED = 10
"""Examples here for each one of another property where new ones are looked for."""


def test_the_engine_does_what_the_model_says(databases: NewDatabase) -> None:
    usual = settings.default
    assert usual is not None
    size = 25 if usual.derandomize else EXPLORED * usual.max_examples
    with open_counter(databases) as counter:

        class Here(Machine):
            def __init__(self) -> None:
                super().__init__(counter)

        run_state_machine_as_test(Here, settings=settings(max_examples=size, stateful_step_count=30))
