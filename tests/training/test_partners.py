"""Partners: another image of the same group, each as likely, and the same ones when a training goes on."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare
from training.conftest import Watched

from medssl_bench.errors import StageError
from medssl_bench.methods import View
from medssl_bench.training.partners import Partners


class Paired(Watched):
    def views(self):
        return View(), View(of="partner")


@given(st.lists(st.integers(-3, 3), max_size=30), st.integers(0, 5))
def test_a_partner_is_another_image_of_the_group_if_there_is_one(groups, epoch):
    groups = np.array(groups, np.int64)

    drawn = Partners.of(groups, len(groups)).draw("partners", seed=0, epoch=epoch)

    assert np.array_equal(groups[drawn], groups)
    alone = np.array([(groups == group).sum() == 1 for group in groups], bool)
    assert np.array_equal(drawn == np.arange(len(groups)), alone)


def test_every_partner_is_as_likely():
    partners = Partners.of(np.array([5, 1, 5, 5, 1, 5, 9]), 7)

    drawn = np.array([partners.draw("partners", seed=0, epoch=epoch)[0] for epoch in range(3000)])

    assert chisquare([(drawn == place).sum() for place in (2, 3, 5)]).pvalue > 0.001


def test_epochs_and_seeds_have_partners_of_their_own():
    partners = Partners.of(np.zeros(50, np.int64), 50)
    first, other, seed = (partners.draw("partners", seed=s, epoch=e) for s, e in ((0, 0), (0, 1), (1, 0)))

    assert np.array_equal(first, partners.draw("partners", seed=0, epoch=0))
    assert not np.array_equal(first, other)
    assert not np.array_equal(first, seed)


def test_views_of_partners_are_made_of_them(pretrain):
    training = pretrain(Paired(), augmentation="plain", groups=True)
    training.run()

    for batches, images in (
        (training.method.training_batches, training.train),
        (training.method.validation_batches, training.val),
    ):
        everything = images.take(torch.arange(len(images)))
        for batch in batches:
            torch.testing.assert_close(batch.views[0], batch.image)
            for view, index in zip(batch.views[1], batch.index.tolist(), strict=True):
                (place,) = [n for n, image in enumerate(everything) if torch.allclose(image, view, atol=1e-6)]
                assert place // 3 == index // 3  # groups are three images that follow one another
                assert place != index


def test_images_without_groups_are_refused(pretrain):
    with pytest.raises(StageError, match="the data set gives no groups"):
        pretrain(Paired())


def test_views_of_images_do_not_change_beside_those_of_partners(pretrain):
    plain, paired = pretrain(Watched(), groups=True), pretrain(Paired(), groups=True)
    plain.run()
    paired.run()

    for one, other in zip(plain.method.training_batches, paired.method.training_batches, strict=True):
        assert torch.equal(one.views[0], other.views[0])
        assert not torch.equal(one.views[1], other.views[1])
