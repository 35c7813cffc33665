"""The request bodies that the documents of the voucher operations print.

Codes, numbers, dates and structure are theirs; texts in free words are ours.
"""

from typing import Any

Body = dict[str, Any]

CREATE: Body = {
    "category": "New Customers",
    "type": "DISCOUNT_VOUCHER",
    "discount": {"percent_off": 10, "type": "PERCENT", "effect": "APPLY_TO_ORDER"},
    "start_date": "2022-01-01T00:00:00Z",
    "expiration_date": "2022-12-31T23:59:59Z",
    "validity_timeframe": {"duration": "PT1H", "interval": "P2D"},
    "validity_day_of_week": [1, 2, 3, 4, 5],
    "active": False,
    "additional_info": "off at first",
    "redemption": {"quantity": 10},
    "metadata": {"test": True, "locale": "de-en"},
    "validation_rules": ["val_4j7DCRm2IS59"],
}

GENERATE: Body = {
    **CREATE,
    "code": "NEW-WELCOME-COUPON",
    "campaign_id": "camp_Y6dLsYIZloGqP8izufXY6SSJ",
    "start_date": "2016-01-01T00:00:00Z",
}

UPDATE: Body = {
    "category": "Second",
    "type": "DISCOUNT_VOUCHER",
    "discount": {
        "type": "PERCENT",
        "percent_off": 45,
        "percent_off_formula": 'IF(ORDER_AMOUNT > 100;CUSTOMER_METADATA("age");CUSTOMER_METADATA("age") / 2)',
        "amount_limit": 1800,
        "effect": "APPLY_TO_ORDER",
    },
    "start_date": "2020-02-01T00:00:00Z",
    "expiration_date": "2023-12-31T23:59:59Z",
    "validity_timeframe": {"duration": "PT2H", "interval": "P3D"},
    "validity_day_of_week": [0, 1, 2],
    "active": False,
    "additional_info": "stacks with others",
    "metadata": {"Season": "Winter"},
}

BALANCE: Body = {"amount": 10000}

EXPORT: Body = {
    "parameters": {
        "order": "-created_at",
        "fields": [
            "id",
            "type",
            "source_id",
            "reason",
            "balance",
            "amount",
            "created_at",
            "voucher_id",
            "campaign_id",
            "details",
            "source",
        ],
    }
}

UPDATE_IN_BULK: list[Body] = [
    {
        "code": "example_code",
        "metadata": {
            "lang": "en",
            "test": False,
            "MetadataTest": "changed",
            "update_value": 1,
            "next_update_date": "2022-11-11T09:00:00.000Z",
        },
    },
    {
        "code": "example_code2",
        "metadata": {"lang": "pl", "test": False, "MetadataTest": "changed", "update_value": 2},
    },
]

UPDATE_METADATA_IN_BULK: Body = {
    "codes": ["PROMO-CODE810", "PROMO-CODE726"],
    "metadata": {"lang": "en", "authorized_internally": True},
}

LIST_VOUCHERS: Body = {
    "limit": 56,
    "page": 56,
    "category": "category_example",
    "campaign_id": "campaign_id_example",
    "customer": "customer_example",
    "campaign": "campaign_example",
    "created_at": {"before": "2017-09-08T13:52:18.227Z", "after": "2016-11-16T14:14:31Z"},
    "updated_at": {"before": "2017-09-08T13:52:18.227Z", "after": "2016-11-16"},
    "order": "-created_at",
    "code": "code_example",
    "ids": ["ids_example"],
}

SESSION_KEY = "ssn_yQGMTeKBSw8OOuFPwlBEjzGy8d8VA9Ts"

_PRODUCT = "prod_0a9f9aeddb019a42db"
_ROW: Body = {
    "type": "DISCOUNT_VOUCHER",
    "active": False,
    "start_date": "2020-12-10T23:00:00Z",
    "expiration_date": "2023-12-31T23:00:00Z",
    "redemption": {"quantity": 1},
    "metadata": {"unit": "EUR"},
    "additional_info": "secret-code2",
}

IMPORT: list[Body] = [
    {
        **_ROW,
        "code": "PROMO-CODE30OFF-NO-EFFECT",
        "category": "new customer acquisition",
        "active": True,
        "discount": {"amount_off": 3000, "type": "AMOUNT"},
        "additional_info": "secret-code1",
        "start_date": "2020-12-01T23:00:00Z",
        "expiration_date": "2023-12-19T23:00:00Z",
    },
    {
        **_ROW,
        "code": "PROMO-CODE30-PERCENT-NO-EFFECT",
        "discount": {"percent_off": 30, "type": "PERCENT"},
    },
    {
        **_ROW,
        "code": "GIFT-CARD-100",
        "type": "GIFT_VOUCHER",
        "active": True,
        "category": "new customer acquisition",
        "gift": {"amount": 10000},
        "additional_info": "secret-GIFT-code2",
        "redemption": {"quantity": 5},
    },
    {
        **_ROW,
        "code": "PROMO-CODE1-PERCENT-EFFECT-ORDER",
        "discount": {"percent_off": 30, "type": "PERCENT", "effect": "APPLY_TO_ORDER"},
    },
    {
        **_ROW,
        "code": "PROMO-CODE2-PERCENT-EFFECT-ITEM",
        "discount": {"percent_off": 30, "type": "PERCENT", "effect": "APPLY_TO_ITEMS"},
    },
    {
        **_ROW,
        "code": "PROMO-CODE1-PERCENT-NO-EFFECT-REDEEMED-QUANTITY-ATTRIBUTE-DOESNT-GET-PASSED",
        "discount": {"percent_off": 30, "type": "PERCENT"},
        "redemption": {"quantity": 1, "redeemed_quantity": 1},
    },
    {
        **_ROW,
        "code": "PROMO-CODE1-AMOUNT-EFFECT-ITEMS-PROPORTIONALLY",
        "discount": {"amount_off": 30, "type": "AMOUNT", "effect": "APPLY_TO_ITEMS_PROPORTIONALLY"},
    },
    {
        **_ROW,
        "code": "PROMO-CODE1-FIXED-EFFECT-ORDER",
        "discount": {"fixed_amount": 30, "type": "FIXED", "effect": "APPLY_TO_ORDER"},
    },
    {
        **_ROW,
        "code": "PROMO-CODE1-UNIT-SINGLE-ITEM-EFFECT-MISSING",
        "discount": {
            "unit_off": 1,
            "unit_type": _PRODUCT,
            "type": "UNIT",
            "effect": "ADD_MISSING_ITEMS",
        },
    },
    {
        **_ROW,
        "code": "PROMO-CODE2-UNIT-MULTIPLE-ITEMS",
        "active": True,
        "discount": {
            "type": "UNIT",
            "effect": "ADD_MANY_ITEMS",
            "units": [
                {"unit_off": 1, "unit_type": _PRODUCT, "effect": "ADD_MISSING_ITEMS"},
                {"unit_off": 1, "unit_type": _PRODUCT, "effect": "ADD_NEW_ITEMS"},
            ],
        },
    },
    {
        **_ROW,
        "code": "PROMO-CODE1-SHIPPING",
        "discount": {
            "type": "UNIT",
            "unit_off": 1,
            "unit_type": "prod_5h1pp1ng",
            "effect": "ADD_MISSING_ITEMS",
        },
    },
]

ORDER: Body = {
    "items": [
        {"product_id": _PRODUCT, "quantity": 1, "price": 4000},
        {"product_id": "prod_other", "quantity": 2, "price": 3000},
    ]
}
"""Ours: 100.00 in two lines, one of the product that the imported vouchers add."""

REDEEMABLE_FIELDS = {
    "id",
    "created_at",
    "redeemable_id",
    "redeemable_object",
    "customer_id",
    "holder_role",
    "campaign_id",
    "campaign_type",
    "voucher_type",
    "redeemable",
}

VOUCHER_FIELDS = {
    "id",
    "code",
    "campaign",
    "campaign_id",
    "category",
    "category_id",
    "type",
    "discount",
    "gift",
    "loyalty_card",
    "start_date",
    "expiration_date",
    "validity_timeframe",
    "validity_hours",
    "validity_day_of_week",
    "active",
    "additional_info",
    "metadata",
    "is_referral_code",
    "created_at",
    "updated_at",
    "holder_id",
    "redemption",
    "categories",
    "assets",
    "publish",
    "object",
}
"""The document's."""
