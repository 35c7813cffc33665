-- A rollback asks what else a customer did with a voucher, however many redemptions both have.
CREATE INDEX redemptions_live ON redemptions (customer, voucher)
WHERE rollback = 0 AND rolled_back_by IS NULL AND customer IS NOT NULL AND voucher IS NOT NULL;
CREATE INDEX redemptions_made_holder ON redemptions (customer, voucher) WHERE made_holder = 1;
