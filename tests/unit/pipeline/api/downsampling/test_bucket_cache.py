from pipeline.api.downsampling.bucket_cache import SETTLED_MS, BucketCache, is_settled


def test_bucket_is_settled_when_the_symbol_has_later_rows_and_some_time_has_passed():
    assert is_settled(1000, 1000, 1000 + SETTLED_MS)
    assert not is_settled(1000, 999, 1000 + SETTLED_MS)
    assert not is_settled(1000, 1000, 999 + SETTLED_MS)


def test_cached_rows_are_bounded_in_number_and_an_empty_bucket_counts_as_one():
    buckets = BucketCache(10)
    for key in range(30):
        buckets.put(key, [])
    assert sum(buckets.get(key) is not None for key in range(30)) == 10
    buckets.put("large", [{}] * 10)
    assert buckets.get("large") is None
