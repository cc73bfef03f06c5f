"""The shop file is the only source of facts, and it is read strictly."""

import json
from pathlib import Path

import pytest
from osai.chatbot import facts, hanoi, shops


@pytest.fixture(scope="module")
def shop() -> shops.Shop:
    return hanoi.shops()["bep-ho-guom"]


def paths(shop: shops.Shop, message: str, history: tuple[str, ...] = ()) -> list[str]:
    return [fact.path for fact in facts.find(shop, message, history).facts]


def test_an_order_is_found_by_its_number(shop: shops.Shop):
    (fact,) = facts.find(shop, "đơn bh1042 của chị tới đâu rồi em").facts
    assert fact.path == "orders.0" and "24/11/2026" in fact.text


def test_an_unknown_order_is_not_replaced_by_a_similar_one(shop: shops.Shop):
    (fact,) = facts.find(shop, "đơn BH1024 tới đâu rồi").facts
    assert fact.path == "orders" and "BH1024" in fact.text and "không có" in fact.text
    assert "BH1042" not in fact.text


def test_an_order_question_without_number_says_so(shop: shops.Shop):
    assert [fact.text for fact in facts.find(shop, "hàng của mình bao giờ giao").facts] == [
        "Khách chưa cho mã đơn"
    ]


def test_a_product_named_after_it_was_asked_for_belongs_to_the_question(shop: shops.Shop):
    found = facts.find(shop, "nồi cơm Mộc nhé em", ("cái này bảo hành mấy tháng hả em?",))
    assert found.topic == "warranty" and [fact.path for fact in found.facts] == ["products.0"]


def test_a_message_may_name_two_products(shop: shops.Shop):
    assert shop.products[0].name.startswith("Nồi cơm") and "xay" in shop.products[3].name
    assert paths(shop, "nồi cơm Mộc với máy xay giá sao shop?") == ["products.0", "products.3"]
    assert paths(shop, "chảo 26 với máy xay Gió còn không") == ["products.2", "products.3"]
    assert paths(shop, "bếp từ với nồi inox cái nào còn hàng") == ["products.1", "products.5"]
    assert paths(shop, "noi com gia sao shop, may hom nay dat co kip khong") == ["products.0"]


def test_a_thing_that_the_shop_does_not_sell_is_not_asked_for_again(shop: shops.Shop):
    found = facts.find(shop, "Shop có bán máy hút ẩm không ạ?")
    assert found.topic == "stock.other" and found.order is None
    assert facts.find(shop, "cái này còn không shop").situation == "missing"


def test_a_product_of_an_earlier_message_is_still_the_subject(shop: shops.Shop):
    found = facts.find(shop, "thế bảo hành mấy tháng?", ("nồi cơm Mộc còn hàng không",))
    assert [fact.path for fact in found.facts] == ["products.0"]


@pytest.mark.parametrize(
    ("message", "empty"),
    [
        ("Cửa hàng mở cửa mấy giờ?", {"branches": ()}),
        ("Phí giao hàng bao nhiêu?", {"shipping": ()}),
        ("Cho xuất hóa đơn VAT", {"policies": {"invoice": ""}}),
        ("Thanh toán bằng cách nào?", {"policies": {"payment": ()}}),
    ],
)
def test_what_the_shop_file_does_not_hold_is_said_not_to_be_known(shop, message, empty):
    if "policies" in empty:
        empty = {"policies": shop.policies.model_copy(update=empty["policies"])}
    found = facts.find(shop.model_copy(update=empty), message)
    assert "chưa có thông tin" in found.facts[0].text
    assert found.situation == "not_known" and found.task == "hỏi thêm về hàng"


def test_a_branch_that_is_named_is_the_only_one_told(shop: shops.Shop):
    (fact,) = facts.find(shop, "Cửa hàng Bồ Đề mấy giờ đóng cửa?").facts
    assert fact.path == "branches.1" and "20h00" in fact.text and "118 Ngọc Lâm" in fact.text


def test_an_order_without_a_promised_day_says_so(shop: shops.Shop):
    order = shop.orders[0].model_copy(update={"eta": None})
    other = shop.model_copy(update={"orders": (order, *shop.orders[1:])})
    found = facts.find(other, "đơn BH1042 tới đâu rồi")
    assert found.situation == "shipping_no_day" and "dự kiến" not in found.facts[0].text


def test_an_order_number_from_earlier_turns_counts(shop: shops.Shop):
    assert paths(shop, "vậy hôm nào tới ạ?", ("đơn BH1057 của anh",)) == ["orders.1"]


@pytest.mark.parametrize(
    ("message", "path"),
    [
        ("ấm siêu tốc giá bao nhiêu", "products.4"),
        ("am sieu toc con hang khong", "products.4"),
        ("phí ship về Nghệ An bao nhiêu", "shipping.2"),
        ("mấy giờ đóng cửa", "branches.0"),
        ("cho xuất hóa đơn VAT", "policies.invoice"),
        ("bao lâu hoàn tiền", "policies.refund_days"),
        ("muốn đổi size", "policies.return_days"),
        ("Tết nghỉ từ hôm nào", "policies.holiday"),
        ("cho xin số hotline gặp nhân viên", "hotline"),
    ],
)
def test_a_topic_brings_its_lines(shop: shops.Shop, message: str, path: str):
    assert path in paths(shop, message)


def test_an_order_number_after_it_was_asked_for_belongs_to_the_question(shop: shops.Shop):
    found = facts.find(shop, "BH1057", ("cho chị hủy đơn hàng",))
    assert found.intent == "cancel" and found.facts[0].path == "orders.1"


def test_a_place_chooses_its_delivery_area(shop: shops.Shop):
    assert paths(shop, "phí ship nội thành bao nhiêu") == ["shipping.0", "free_shipping_from"]
    assert paths(shop, "ship về Đà Nẵng hết bao nhiêu") == ["shipping.2", "free_shipping_from"]
    assert paths(shop, "phí ship về Cầu Giấy bao nhiêu") == ["shipping.0", "free_shipping_from"]
    assert len(paths(shop, "phí ship về nhà anh bao nhiêu")) == 4  # all areas: it cannot tell
    assert (
        paths(shop, "ship về phố Huế phí tính bao nhiêu")[0] == "shipping.0"
    )  # a street of Hà Nội


def test_letters_and_digits_are_an_order_number_only_where_they_look_like_one():
    assert facts.order_ids("đơn bh1042 và BH 1057") == ["BH1042", "BH1057"]
    assert facts.order_ids("ib 500 cai, loa 5w, con 200") == []


def test_a_word_with_marks_is_no_product_that_looks_like_it_without(shop: shops.Shop):
    assert paths(shop, "mấy giờ mở cửa") == ["branches.0", "branches.1"]
    assert paths(shop, "máy xay còn không") == ["products.3"]


def test_money_is_written_the_vietnamese_way():
    assert shops.money(1250000) == "1.250.000 ₫"
    assert shops.money(0) == "0 ₫"


def broken(tmp_path: Path, change) -> Path:
    shop = json.loads((hanoi.folder() / "shops" / "lua-ha.json").read_text(encoding="utf-8"))
    change(shop)
    file = tmp_path / "shop.json"
    file.write_text(json.dumps(shop, ensure_ascii=False), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda s: s.pop("hotline"), "hotline"),
        (lambda s: s["products"][1].update(price="390.000"), "products.1.price"),
        (lambda s: s["orders"][0].update(eta="2026-11-25"), "orders.0.eta"),
        (lambda s: s["orders"][0].update(status="lost"), "orders.0.status"),
        (lambda s: s["policies"].update(return_days=-1), "policies.return_days"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, change, field: str):
    with pytest.raises(shops.ShopError, match=field.replace(".", r"\.")) as error:
        shops.load_shop(broken(tmp_path, change))
    assert "Next step" in str(error.value)


def test_extra_keys_are_ignored(tmp_path: Path):
    file = broken(tmp_path, lambda s: s.update(colour="red"))
    assert shops.load_shop(file).name == "Thời trang Lụa Hà"


def test_an_empty_folder_a_wrong_encoding_and_no_json_are_told_apart(tmp_path: Path):
    with pytest.raises(shops.ShopError, match="no shop file"):
        shops.load_shops(tmp_path)
    (tmp_path / "a.json").write_bytes("Bếp".encode("utf-16"))
    with pytest.raises(shops.ShopError, match="UTF-8"):
        shops.load_shops(tmp_path)
    (tmp_path / "a.json").write_text("{", encoding="utf-8")
    with pytest.raises(shops.ShopError, match="whole file"):
        shops.load_shops(tmp_path)


def test_a_province_of_the_north_is_not_charged_as_the_south(shop: shops.Shop):
    areas = tuple(
        shops.Shipping(area=area, fee=fee, days="3 ngày")
        for area, fee in (
            ("nội thành", 20000),
            ("các tỉnh miền Bắc", 40000),
            ("các tỉnh miền Trung và miền Nam", 60000),
        )
    )
    wide = shop.model_copy(update={"shipping": areas})
    assert paths(wide, "ship về Lạng Sơn hết bao nhiêu")[0] == "shipping.1"
    assert paths(wide, "ship vào Cần Thơ hết bao nhiêu")[0] == "shipping.2"
