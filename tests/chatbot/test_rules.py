"""The rules of service: when a person must take over, without looking at a clock."""

import pytest
from osai.chatbot import facts, hanoi, rules


@pytest.mark.parametrize(
    ("message", "person"),
    [
        ("Đơn BH1042 dự kiến 24/11 mà hôm nay 26/11 rồi vẫn chưa thấy", True),
        ("Đơn BH1042 dự kiến 24/11 phải không em, hôm nay mới 22/11", False),
        ("Đơn BH1063 báo đã giao mà chưa nhận được", True),
        ("Đổi địa chỉ giao đơn BH1042", True),
        ("Đổi địa chỉ giao đơn BH1057", False),
        ("Mấy ngày thì hoàn tiền?", False),
        ("Trả hàng 3 ngày rồi, bao giờ hoàn tiền?", False),  # the shop's own rule is 5 days
        ("Trả hàng 8 ngày rồi, bao giờ hoàn tiền?", True),
        ("Hai tuần rồi mà tiền hoàn đâu?", True),
        ("Hóa đơn ghi sai tên công ty", True),
        ("Bên bảo hành từ chối, nói lỗi tại người dùng", True),
        ("Chuyển khoản rồi mà không thấy lên đơn", True),
        ("Cho tôi gặp nhân viên", True),
        ("Xóa số điện thoại của tôi đi", True),
        ("Hủy đơn BH1057", True),
        ("Muốn hủy đơn thì làm sao?", False),
        ("Cho xuất hóa đơn VAT", False),
        ("Đơn của tôi tới đâu rồi?", False),  # the number is asked for first
        ("Cảm ơn em nhiều nhé", False),
        ("Mai Hà Nội có mưa không?", False),
    ],
)
def test_a_person_takes_over_by_the_rules_of_service(message: str, person: bool):
    assert facts.find(hanoi.shops()["bep-ho-guom"], message).person is person


def test_no_clock_is_read():
    assert not rules.promise_broken("Bao giờ giao?", "01/01/2020")
    assert rules.promise_broken("Hôm nay 2/1/2020 rồi mà chưa thấy", "01/01/2020")


def test_a_day_that_is_still_to_come_breaks_no_promise():
    assert rules.promise_broken("Cần cho buổi tiệc 2/12, có kịp không?", "30/11/2026") is None
    assert rules.promise_broken("nay 2/12 rồi", "30/11/2026") is True
    assert rules.promise_broken("hôm nay mới 29/11 thôi", "30/11/2026") is False


def test_waiting_time_is_read_in_days():
    assert rules.days_waited("hơn 1 tuần rồi, à 9 ngày") == 9
    assert rules.days_waited("mười ngày") == 10
    assert rules.days_waited("mấy ngày?") == 0
    assert rules.days_waited("mười mấy ngày") == 11
    assert rules.days_waited("hơn chục hôm") == 10
    assert rules.days_waited("mấy tuần nay, nửa tháng rồi") == 15
    assert rules.waited_too_long("Đã trả máy mười mấy ngày, tài khoản trống trơn!", 7)


def test_days_that_do_not_exist_are_passed_over():
    assert rules.days_named("ngày 45/13 và 30/2", 2026) == []
