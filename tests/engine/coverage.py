"""Which test shows which operation, and which kind of discount, of the documents.

A test is named by its path below tests/, its function, and the id of its case where there are several.
"""

from collections.abc import Mapping

SEED_BODIES = "engine/test_seed_bodies.py"
EFFECTS = "engine/test_discount_effects.py"
REDEMPTIONS = "engine/test_redemptions.py"
POOLS = "backends/test_pools.py"

VOUCHER_OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "create_voucher": (f"{SEED_BODIES}::test_create_voucher",),
    "delete_voucher": (
        f"{SEED_BODIES}::test_delete_voucher",
        "engine/test_vouchers.py::test_a_deleted_code_stays_taken",
    ),
    "disable_voucher": (f"{SEED_BODIES}::test_get_enable_and_disable_voucher",),
    "enable_voucher": (f"{SEED_BODIES}::test_get_enable_and_disable_voucher",),
    "export_voucher_transactions": (
        f"{SEED_BODIES}::test_export_voucher_transactions",
        "engine/test_jobs_exports.py::test_order_and_fields_are_as_asked",
    ),
    "generate_random_code": (
        f"{SEED_BODIES}::test_generate_random_code",
        "engine/test_vouchers.py::test_a_random_code_has_the_form_that_was_asked_for",
    ),
    "get_voucher": (f"{SEED_BODIES}::test_get_enable_and_disable_voucher",),
    "import_vouchers": (
        f"{SEED_BODIES}::test_import_vouchers",
        f"{SEED_BODIES}::test_an_imported_voucher_can_be_redeemed",
    ),
    "import_vouchers_using_csv": (
        "engine/test_jobs_csv.py::test_every_column_of_the_document_is_read",
        "engine/test_jobs_csv.py::test_every_form_of_date_of_the_document_is_read",
    ),
    "list_voucher_transactions": (
        f"{SEED_BODIES}::test_list_voucher_transactions",
        "engine/test_vouchers_balances.py::test_a_line_of_the_ledger_has_the_fields_of_the_document",
    ),
    "list_vouchers": (f"{SEED_BODIES}::test_list_vouchers",),
    "release_validation_session": (f"{SEED_BODIES}::test_release_validation_session",),
    "update_voucher": (f"{SEED_BODIES}::test_update_voucher",),
    "update_voucher_balance": (f"{SEED_BODIES}::test_update_voucher_balance",),
    "update_vouchers_in_bulk": (f"{SEED_BODIES}::test_update_vouchers_in_bulk",),
    "update_vouchers_metadata_in_bulk": (f"{SEED_BODIES}::test_update_vouchers_metadata_in_bulk",),
}
"""The sixteen operations of the document of vouchers."""

OTHER_TOOLS: Mapping[str, tuple[str, ...]] = {
    "render_voucher_code": (
        "backends/test_pictures.py::test_a_code_is_shown_as_a_picture_that_scans_as_the_code",
        "backends/test_pictures.py::test_what_is_no_voucher_has_no_picture",
    ),
    "get_pool_health": (
        "engine/test_health.py::test_use_of_some_days_foretells_when_the_pool_runs_out",
        "engine/test_health.py::test_what_expires_stands_under_its_day_in_the_project_s_time_zone",
    ),
    "list_changes": (
        "policy/test_changes.py::test_each_filter_finds_what_is_meant_also_of_what_is_deleted",
        "policy/test_changes.py::test_pages_follow_one_another",
    ),
    "undo_change": (
        "policy/test_undoing.py::test_a_write_and_its_undo_leave_everything_as_it_was",
        "policy/test_undoing.py::test_what_has_moved_on_is_not_taken_back_and_it_says_by_whom",
    ),
    "list_customer_redeemables": (
        f"{SEED_BODIES}::test_list_customer_redeemables",
        "engine/test_redeemable_filters.py::test_every_filter_of_the_document_finds_what_it_says",
        "engine/test_redeemable_filters.py::test_the_seed_lists_the_fields_and_operators_that_there_are",
    ),
    "validate_vouchers": (
        "engine/test_validations.py::test_validating_shows_what_redeeming_would_do_and_consumes_nothing",
        "engine/test_validations.py::test_a_session_reserves_the_last_redemption_until_it_is_redeemed",
    ),
    "redeem_vouchers": (
        f"{REDEMPTIONS}::test_redeeming_takes_the_discount_off_the_order",
        f"{REDEMPTIONS}::test_a_stack_applies_one_after_another",
    ),
    "rollback_redemption": (
        "engine/test_rollbacks.py::test_a_rollback_gives_back_credits_and_quantity",
        "engine/test_rollbacks.py::test_a_stack_is_rolled_back_as_a_whole",
    ),
    "list_redemptions": (f"{REDEMPTIONS}::test_redemptions_are_listed_newest_first_by_who_what_and_when",),
    "get_redemption": (f"{REDEMPTIONS}::test_redemptions_are_listed_newest_first_by_who_what_and_when",),
    "get_async_action": ("engine/test_jobs.py::test_an_import_makes_vouchers_without_a_pool",),
    "get_export": ("engine/test_jobs_exports.py::test_a_finished_export_is_a_resource_link_and_a_resource",),
    "find_customers": (
        "backends/test_customers.py::test_customers_are_found_by_a_part_of_their_id_in_any_case",
    ),
    "move_voucher_balance": ("backends/test_moving_balances.py::test_an_amount_moves_from_card_to_card",),
    "list_projects": ("protocol/test_access.py::test_list_projects_says_what_each_project_is_and_cannot_do",),
    "list_voucher_pools": (f"{POOLS}::test_the_list_shows_the_id_name_and_counts_of_each_pool",),
    "get_voucher_pool": (f"{POOLS}::test_a_pool_adds_the_project_and_what_draws_from_it",),
    "list_voucher_codes": (
        "backends/test_code_lists.py::test_a_new_code_is_available_and_was_never_assigned_or_redeemed",
    ),
    "create_voucher_pool": (f"{POOLS}::test_a_pool_that_is_made_with_codes_says_how_many_it_took",),
    "update_voucher_pool": (f"{POOLS}::test_an_update_leaves_alone_what_it_does_not_name",),
    "add_voucher_codes": ("backends/test_adding_codes.py::test_added_codes_are_there_in_their_order",),
    "assign_voucher_code": (
        "backends/test_assigning_codes.py::test_the_answer_says_all_that_there_is_to_know_of_the_assignment",
    ),
    "delete_voucher_codes": ("backends/test_deleting_codes.py::test_codes_are_deleted_by_id_or_code",),
    "delete_voucher_pool": (
        f"{POOLS}::test_a_deleted_pool_is_gone_with_its_codes",
        f"{POOLS}::test_a_deleted_pool_frees_its_name",
    ),
}
"""The tools beside them."""

_OFF = f"{EFFECTS}::test_a_discount_takes_off_what_its_effect_says"
_UNITS = f"{EFFECTS}::test_free_units_join_the_order"
_LIMIT = f"{EFFECTS}::test_a_limit_cuts_what_is_taken_off"
_FORMULA = f"{EFFECTS}::test_a_formula_says_how_much"
_GIFT = f"{EFFECTS}::test_a_gift_card_pays_with_all_it_holds"

DISCOUNTS: Mapping[tuple[str, str], str] = {
    (kind, part): f"{test}[{kind}-{part}]"
    for test, kind, parts in (
        (
            _OFF,
            "AMOUNT",
            (
                "APPLY_TO_ORDER",
                "APPLY_TO_ITEMS",
                "APPLY_TO_ITEMS_PROPORTIONALLY",
                "APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY",
                "APPLY_TO_ITEMS_BY_QUANTITY",
            ),
        ),
        (_OFF, "PERCENT", ("APPLY_TO_ORDER", "APPLY_TO_ITEMS")),
        (_OFF, "FIXED", ("APPLY_TO_ORDER", "APPLY_TO_ITEMS")),
        (_UNITS, "UNIT", ("ADD_NEW_ITEMS", "ADD_MISSING_ITEMS", "ADD_SAME_ITEMS", "ADD_MANY_ITEMS")),
        (_GIFT, "GIFT", ("APPLY_TO_ORDER", "APPLY_TO_ITEMS")),
        (_LIMIT, "AMOUNT", ("aggregated_amount_limit",)),
        (_LIMIT, "PERCENT", ("amount_limit", "aggregated_amount_limit")),
        (_FORMULA, "AMOUNT", ("amount_off_formula",)),
        (_FORMULA, "PERCENT", ("percent_off_formula",)),
        (_FORMULA, "FIXED", ("fixed_amount_formula",)),
        (_FORMULA, "UNIT", ("unit_off_formula",)),
    )
    for part in parts
}
"""What a voucher's worth can be made of: each type with its effects, limits and formulas."""
