"""The free space of a folder that does not exist yet is that of the disk where it would be."""

import shutil

from aqa_pipeline.disk.free_space import existing_part, free_bytes


def test_the_disk_of_a_folder_that_is_not_there_yet(tmp_path, monkeypatch):
    assert existing_part(tmp_path / "store" / "dataset") == tmp_path
    (tmp_path / "file").touch()
    assert existing_part(tmp_path / "file") == tmp_path / "file"
    asked = []

    def disk_usage(place):
        asked.append(place)
        return shutil._ntuple_diskusage(10, 3, 7)

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)
    assert free_bytes(tmp_path / "store") == 7
    assert asked == [tmp_path]
