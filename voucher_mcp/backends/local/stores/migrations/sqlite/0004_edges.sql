-- A rollback asks what else a customer did with a voucher, however many redemptions both have.
CREATE INDEX redemptions_live ON redemptions (customer, voucher)
WHERE rollback = 0 AND rolled_back_by IS NULL AND customer IS NOT NULL AND voucher IS NOT NULL;
CREATE INDEX redemptions_made_holder ON redemptions (customer, voucher) WHERE made_holder = 1;

-- A code in the one spelling that all its cases share; NULL where the code is ASCII without small letters, which
-- most are: then its capitals are found by the code itself.
ALTER TABLE vouchers ADD COLUMN folded TEXT;
-- Composed and decomposed letters name one code. Where both were stored each stays as it is.
UPDATE OR IGNORE vouchers SET code = composed(code) WHERE code GLOB '*[^ -~]*' AND code <> composed(code);
UPDATE vouchers SET folded = caseless(code) WHERE code <> upper(code) OR code GLOB '*[^ -~]*';
CREATE INDEX vouchers_folded ON vouchers (project, folded) WHERE folded IS NOT NULL;

-- How much time has passed, told at some lines of the audit trail: the sum of what the clock went forward, so that
-- one that jumps a month ahead and back has not aged anything by a month.
CREATE TABLE clock (
    line INTEGER PRIMARY KEY,  -- of audit
    at INTEGER NOT NULL,  -- what the machine's clock said then
    elapsed INTEGER NOT NULL
) STRICT;
ALTER TABLE writes ADD COLUMN line INTEGER NOT NULL DEFAULT 0;  -- of audit, when the key was first sent
DROP INDEX writes_created;
CREATE INDEX writes_line ON writes (line);
CREATE INDEX sessions_expired ON sessions (expires_at);
CREATE INDEX jobs_over ON jobs (updated_at) WHERE status IN ('DONE', 'FAILED');
