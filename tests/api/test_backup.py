"""BackupAndRestore and ModelCheckpoint: every so many batches, and what a killed run finds."""

import numpy as np
import pytest

import kerasish as keras
from kerasish.callbacks import BackupAndRestore, ModelCheckpoint

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 3)).astype("float32")
Y = RNG.normal(size=(20, 1)).astype("float32")


class Killed(Exception):
    pass


class Spy(keras.callbacks.Callback):
    """Notes what ran, and kills the run after so many batches."""

    def __init__(self, kill_after=None):
        super().__init__()
        self.seen, self.weights, self.kill_after = [], [], kill_after

    def on_epoch_begin(self, epoch, logs=None):
        self.seen.append(f"epoch {epoch}")

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(batch)
        self.weights.append(self.model.get_weights()[0])
        if len(self.weights) == self.kill_after:
            raise Killed


def make(**options):
    keras.utils.set_random_seed(5)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.1), "mse", **options)
    return model


def run(backup, kill_after=None, model=None, epochs=3, **options):
    """Five batches an epoch."""
    spy, model = Spy(kill_after), model or make()
    options = {"batch_size": 4, "shuffle": False, "verbose": 0, **options}
    try:
        model.fit(X, Y, epochs=epochs, callbacks=[backup, spy], **options)
    except Killed:
        pass
    return spy, model


BATCHES = [0, 1, 2, 3, 4]
WHOLE = ["epoch 0", *BATCHES, "epoch 1", *BATCHES, "epoch 2", *BATCHES]


@pytest.mark.parametrize(
    "freq, kill_after, kept, first",
    [(3, 2, 0, 0), (3, 4, 3, 0), (3, 7, 6, 1), (2, 14, 14, 2), (7, 13, 7, 1), ("epoch", 9, 5, 1)],
)
def test_a_killed_run_goes_on_with_what_was_kept_last(tmp_path, freq, kill_after, kept, first):
    folder = tmp_path / "b"
    killed, _ = run(BackupAndRestore(folder, save_freq=freq), kill_after)
    assert folder.exists() == bool(kept)
    backup = BackupAndRestore(folder, save_freq=freq)
    again = make()
    backup.set_model(again)
    backup.on_train_begin()
    if kept:
        np.testing.assert_array_equal(again.get_weights()[0], killed.weights[kept - 1])
        assert int(again.optimizer.iterations) == kept
    spy, again = run(BackupAndRestore(folder, save_freq=freq), model=make())
    assert spy.seen == WHOLE[6 * first :]
    assert int(again.optimizer.iterations) == kept + 5 * (3 - first)
    assert not folder.exists()


def test_several_steps_in_one_execution_count_as_so_many_batches(tmp_path):
    folder = tmp_path / "b"
    run(BackupAndRestore(folder, save_freq=4), kill_after=2, model=make(steps_per_execution=2))
    again = make()
    backup = BackupAndRestore(folder)
    backup.set_model(again)
    backup.on_train_begin()
    assert int(again.optimizer.iterations) == 4


def test_batches_may_run_in_chunks_unless_they_are_counted(tmp_path):
    for made, freq in (
        (BackupAndRestore, {"backup_dir": tmp_path}),
        (ModelCheckpoint, {"filepath": "m.keras"}),
    ):
        for save_freq, wanted in (("epoch", False), (3, True)):
            hooks = keras.callbacks.CallbackList([made(**freq, save_freq=save_freq)])
            assert hooks.wants("on_train_batch_end") == wanted


def test_double_checkpoints_survive_a_damaged_file(tmp_path):
    folder = tmp_path / "b"
    run(BackupAndRestore(folder, save_freq=2, double_checkpoint=True), kill_after=5)
    assert sorted(f.name for f in folder.iterdir()) == ["earlier.npz", "latest.npz"]
    (folder / "latest.npz").write_bytes(b"half a file")
    spy, again = run(BackupAndRestore(folder, save_freq=2, double_checkpoint=True))
    assert spy.seen == WHOLE
    assert int(again.optimizer.iterations) == 2 + 15


def test_a_damaged_backup_is_named(tmp_path):
    (tmp_path / "latest.npz").write_bytes(b"half a file")
    with pytest.raises(ValueError, match=r"latest\.npz can't be read.*start\s+afresh"):
        make().fit(X, Y, verbose=0, callbacks=[BackupAndRestore(tmp_path)])


@pytest.mark.parametrize("keep", [True, False])
def test_the_backup_of_a_finished_run(tmp_path, keep):
    folder = tmp_path / "b"
    run(BackupAndRestore(folder, save_freq=2, delete_checkpoint=not keep))
    assert folder.exists() == keep


@pytest.mark.parametrize("freq", [0, -1, 1.5, "batch", None, True, False])
def test_other_frequencies_are_refused(tmp_path, freq):
    with pytest.raises(ValueError, match="save_freq"):
        BackupAndRestore(tmp_path, save_freq=freq)


@pytest.mark.parametrize("steps, files", [(1, 5), (2, 4)])
def test_checkpoints_of_every_third_batch(tmp_path, steps, files):
    """15 batches; with two steps in an execution the third of an epoch counts for two."""
    names = []

    class Noted(ModelCheckpoint):
        def _save(self, epoch, logs):
            names.append((epoch, int(self.model.optimizer.iterations)))
            super()._save(epoch, logs)

    noted = Noted(str(tmp_path / "{epoch}.weights.h5"), save_weights_only=True, save_freq=3)
    run(noted, model=make(steps_per_execution=steps))
    assert len(names) == files
    assert names[0] == ((0, 3) if steps == 1 else (0, 4))
    assert {f.name for f in tmp_path.iterdir()} == {f"{e + 1}.weights.h5" for e, _ in names}
