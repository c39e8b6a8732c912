"""What is read from Postgres' log."""

from bench import databases

STATS = """\
WAL statistics between 0/16ED570 and 0/17A2B18:
Type           N      (%)          Record size      (%)             FPI size      (%)        Combined size      (%)
----           -      ---          -----------      ---             --------      ---        -------------      ---
Heap       10003 ( 99.63)               590319 ( 99.45)                 4620 (  4.77)               594939 ( 86.16)
                --------                      --------                      --------                      --------
Total      10040                        593561 [85.96%]                96956 [14.04%]               690517 [100%]
"""


def test_records_are_counted_without_full_pages() -> None:
    assert databases.record_bytes(STATS) == 593_561


def test_a_log_without_records_has_no_bytes() -> None:
    assert databases.record_bytes("") == 0
