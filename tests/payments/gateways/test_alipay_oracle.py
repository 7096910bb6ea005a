"""Alipay against a stranger: python-alipay-sdk checks what we sign and gives what we check, in key and certificate mode.

And the answers of gateway.do: whose signature counts over which bytes. And the daily bill.
"""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import alipay as oracle
import pytest
import responses
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from payments.gateways import base, crypto
from payments.gateways.alipay import bills, signing
from pimpshop.core.money import Money
from tests.payments.gateways.contract import NOW
from tests.payments.gateways.test_alipay import CONTRACT
from tests.support import alipay as support
from tests.support.alipay import (
    APP,
    NUMBER,
    OUR_KEY,
    PRIVATE,
    PUBLIC,
    THEIR_KEY,
    TRADE,
    URL,
    answer,
    make,
    sign,
)

VECTOR = json.loads((Path(__file__).parents[2] / "vectors" / "wechat_alipay.json").read_text())["alipay"]
QUERY = "alipay.trade.query"
# The SDK reads certificates through pyOpenSSL's old ways.
pytestmark = pytest.mark.filterwarnings(
    "ignore:X509.get_:DeprecationWarning", "ignore:.*serial.*:DeprecationWarning"
)


def certificate(key: rsa.RSAPrivateKey, common_name: str, serial: int) -> str:
    """A certificate whose issuer has the four parts that Alipay's have."""
    parts = [(NameOID.COUNTRY_NAME, "CN"), (NameOID.ORGANIZATION_NAME, "Ant Financial"),
             (NameOID.ORGANIZATIONAL_UNIT_NAME, "Certification Authority"), (NameOID.COMMON_NAME, common_name)]  # fmt: skip
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(serial).not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=9))
    )  # fmt: skip
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


OUR_CERT, THEIR_CERT = certificate(OUR_KEY, "Class 1", 4711), certificate(THEIR_KEY, "Class 2", 2**120 + 7)
ROOTS = "\n\n".join(certificate(key, f"Root {n}", n) for n, key in enumerate((OUR_KEY, THEIR_KEY), 1))
CERTIFIED = {"app_cert": OUR_CERT, "public_cert": THEIR_CERT, "root_cert": ROOTS, "public_key": ""}


class Platform(oracle.AliPay):
    """The SDK with the keys exchanged: it signs as Alipay and verifies what we signed."""

    def __init__(self) -> None:
        super().__init__(
            appid=APP, app_private_key_string=support.pem(THEIR_KEY), alipay_public_key_string=support.public_pem(OUR_KEY)
        )  # fmt: skip

    def trusts(self, params: dict[str, str]) -> bool:
        """Its own `verify` drops sign_type, as for a notice; a request's signed text has it."""
        kept = sorted((k, v) for k, v in params.items() if k != "sign")
        return self._verify("&".join(f"{k}={v}" for k, v in kept), params["sign"])


@pytest.fixture
def wire():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


# --- what we sign ---


@pytest.mark.parametrize("extra", [{}, CERTIFIED], ids=["keys", "certificates"])
@pytest.mark.parametrize("method", ["page", "wap", "app"])
def test_the_sdk_verifies_what_the_shopper_opens(method, extra):
    action = (
        make(**extra).create_payment(CONTRACT.request(method=method, description="壳 +%~ 'x'")).next_action
    )
    query = urlsplit(action.url).query if isinstance(action, base.Redirect) else action.params["order_string"]
    assert Platform().trusts(dict(parse_qsl(query, strict_parsing=True)))


@pytest.mark.parametrize("extra", [{}, CERTIFIED], ids=["keys", "certificates"])
def test_the_sdk_verifies_a_call(wire, extra):
    wire.add("POST", URL, body=answer(QUERY, {"out_trade_no": NUMBER, "trade_status": "WAIT_BUYER_PAY"},
                                      alipay_cert_sn=oracle.DCAliPay.get_cert_sn(THEIR_CERT) if extra else ""))  # fmt: skip
    make(**extra).query_payment(CONTRACT.ref())
    assert Platform().trusts(support.everything(wire.calls[0].request))


def test_the_sdk_signs_as_we_do():
    """The same parameters, the same signature: PKCS#1 v1.5 has no chance in it."""
    params = dict(
        parse_qsl(urlsplit(make().create_payment(CONTRACT.request(method="page")).next_action.url).query)
    )
    theirs = oracle.AliPay(appid=APP, app_private_key_string=PRIVATE, alipay_public_key_string=PUBLIC)
    unsigned = {name: value for name, value in params.items() if name != "sign"}
    assert dict(parse_qsl(theirs.sign_data(unsigned)))["sign"] == params["sign"]


def test_our_certificates_have_the_numbers_that_the_sdk_gives_them():
    sdk = oracle.DCAliPay(APP, PRIVATE, OUR_CERT, THEIR_CERT, ROOTS)
    params = dict(
        parse_qsl(
            urlsplit(make(**CERTIFIED).create_payment(CONTRACT.request(method="page")).next_action.url).query
        )
    )
    assert (params["app_cert_sn"], params["alipay_root_cert_sn"]) == (
        sdk.app_cert_sn,
        sdk.alipay_root_cert_sn,
    )
    assert (
        "app_cert_sn"
        not in urlsplit(make().create_payment(CONTRACT.request(method="page")).next_action.url).query
    )


def test_the_published_certificates_have_the_published_numbers():
    found = VECTOR["cert_sn"]
    assert signing.cert_sn(found["app_cert_pem"]) == found["app_cert_sn"]
    assert signing.cert_sn(found["alipay_cert_pem"]) == found["alipay_cert_sn"]
    assert signing.root_cert_sn(found["root_cert_pem"]) == found["root_cert_sn"]
    escaped = found["app_cert_pem"].replace("\n", "\\n")
    bare = "".join(line for line in found["app_cert_pem"].splitlines() if "-----" not in line)
    assert signing.cert_sn(escaped) == signing.cert_sn(bare) == found["app_cert_sn"]


@pytest.mark.parametrize(
    "text", ["", "x", "AAAA", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
)
def test_what_is_no_certificate_is_told(text):
    for read in (signing.cert_sn, signing.root_cert_sn):
        with pytest.raises(signing.BadCertificate):
            read(text)


# --- what we verify ---


def test_we_believe_a_notice_that_the_sdk_signed():
    fields = {k: v for k, v in support.notice_fields().items() if k not in ("sign", "sign_type")}
    signature = Platform()._sign("&".join(f"{k}={v}" for k, v in sorted(fields.items())))
    post = base.WebhookRequest(
        body=urlencode(fields | {"sign": signature, "sign_type": "RSA2"}).encode(), received_at=NOW
    )
    (event,) = make().read_webhook(post)
    assert (event.out_trade_no, event.confirmed) == (NUMBER, True)
    theirs = oracle.AliPay(appid=APP, app_private_key_string=PRIVATE, alipay_public_key_string=PUBLIC)
    assert theirs.verify(dict(fields), signature)


def query(wire, body: str | bytes, **config: Any) -> base.PaymentResult:
    wire.add("POST", URL, body=body)
    return make(**config).query_payment(CONTRACT.ref())


def unknown(wire, body: str | bytes, code: str, **config: Any) -> base.GatewayUnavailable:
    with pytest.raises(base.GatewayUnavailable) as caught:
        query(wire, body, **config)
    assert (caught.value.code, caught.value.outcome) == (code, base.Outcome.UNKNOWN)
    return caught.value


PART = f'{{ "code":"10000","msg":"a\\/b }}\\u007b",\n"out_trade_no" : "{NUMBER}","trade_status":"TRADE_SUCCESS"}}'


def test_the_signature_is_over_the_very_bytes_of_the_answer(wire):
    body = f'{{"sign": "{sign(PART)}" ,\n "alipay_trade_query_response" :  {PART} }}\n'
    assert query(wire, body).status == base.PaymentStatus.SUCCEEDED


@pytest.mark.parametrize(
    "body",
    [
        f'{{"alipay_trade_query_response":{PART}}}',
        f'{{"alipay_trade_query_response":{PART},"sign":""}}',
        f'{{"alipay_trade_query_response":{PART},"sign":null}}',
        f'{{"alipay_trade_query_response":{PART} ,"sign":"{sign(PART + " ")}"}}',
        f'{{"alipay_trade_query_response":{PART},"sign":"{sign(PART, algorithm=hashes.SHA1())}"}}',
        f'{{"alipay_trade_query_response":{PART},"sign":"{sign(PART, key=OUR_KEY)}"}}',
        f'{{"alipay_trade_query_response":{PART.replace("10000", "40004")},"sign":"{sign(PART)}"}}',
        '{"error_response":{"code":"40002","sub_code":"isv.invalid-app-id"}}',
        f'{{"sign":"{sign("{}")}"}}',
    ],
)  # fmt: skip
def test_an_answer_that_alipay_did_not_sign_is_unknown(wire, body):
    unknown(wire, body, "bad_signature")


def test_an_unsigned_refusal_still_says_why_to_staff(wire):
    error = unknown(
        wire, '{"error_response":{"code":"40002","sub_code":"isv.invalid-app-id"}}', "bad_signature"
    )
    assert error.provider_code == "isv.invalid-app-id"
    assert "isv.invalid-app-id" in str(error)


@pytest.mark.parametrize(
    "body",
    [
        f'{{"alipay_trade_query_response":{PART},"sign":"{sign(PART)}"}} x',
        f'{{"alipay_trade_query_response":{PART},"alipay_trade_query_response":{{}},"sign":"{sign(PART)}"}}',
        f'{{"alipay_trade_query_response":{PART},"sign":"{sign(PART)}"'.encode(),
        b'{"alipay_trade_query_response":"\xff","sign":"x"}',
        "{,}", "{1:2}", '{"a"}', "[" * 5000, '{"a":NaN}',
    ],
)  # fmt: skip
def test_an_answer_that_can_be_read_in_two_ways_is_none(wire, body):
    unknown(wire, body, "bad_answer")


def test_a_signed_answer_to_another_call_is_none(wire):
    unknown(wire, answer("alipay.trade.close", {}), "bad_signature")


def test_in_certificate_mode_the_certificate_of_the_answer_counts(wire):
    told = {"out_trade_no": NUMBER, "trade_status": "TRADE_SUCCESS"}
    number = oracle.DCAliPay.get_cert_sn(THEIR_CERT)
    assert (
        query(wire, answer(QUERY, told, alipay_cert_sn=number), **CERTIFIED).status
        == base.PaymentStatus.SUCCEEDED
    )
    wire.reset()
    for other in ("", "7513daaaa48aa3ba2e4018d84402479c"):
        wire.reset()
        unknown(wire, answer(QUERY, told, alipay_cert_sn=other), "bad_signature", **CERTIFIED)


# --- the bill ---

HEAD = ("支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,"
        "商家实收（元）,退款批次号/请求号,服务费（元）,分润（元）,备注")  # fmt: skip
BILL = f"""#支付宝业务明细查询
#账号：[20880000000000420156]
#-----------------------------------------业务明细列表----------------------------------------
{HEAD}
{TRADE}\t,{NUMBER}\t,交易\t,"iPhone 15, 壳"\t,2025-08-30 15:53:30\t,2025-08-30 15:53:40\t,,,,,159****5620\t,19.99\t,19.99\t,\t,-0.12\t,0.00\t,\t
{TRADE}\t,{NUMBER}\t,退款\t,"iPhone 15, 壳"\t,2025-08-30 15:53:30\t,2025-08-30 23:59:59\t,,,,,159****5620\t,-5.00\t,-5.00\t,R1\t,0.03\t,0.00\t,\t
{TRADE}\t,{NUMBER}\t,分账\t,x\t,2025-08-30 15:53:30\t,2025-08-30 23:59:59\t,,,,,\t,-1.00\t,-1.00\t,\t,0.00\t,0.00\t,\t
#-----------------------------------------业务明细列表结束------------------------------------
#交易合计：1笔
"""


def zipped(*texts: str, name: str = "20880000000000420156_20250830_业务明细.csv") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number, text in enumerate(texts):
            archive.writestr(f"{number}{name}", text.encode("gbk"))
        archive.writestr("20880000000000420156_20250830_业务明细(汇总).csv", "门店编号,x\n".encode("gbk"))
    return out.getvalue()


BILL_CALL = "alipay.data.dataservice.bill.downloadurl.query"


def test_a_bill_is_its_payments_and_refunds(wire):
    link = "https://dwbillcenter.alipay.example/downloadBillFile.resource?token=x"
    wire.add("POST", URL, body=answer(BILL_CALL, {"bill_download_url": link}))
    wire.add("GET", link, body=zipped(BILL))
    paid, back = make().statement(date(2025, 8, 30))
    assert support.biz(wire.calls[0].request) == {"bill_type": "trade", "bill_date": "2025-08-30"}
    assert paid == base.StatementLine(
        kind="payment", amount=Money.parse("19.99", "CNY"), at=paid.at, provider_ref=TRADE, out_trade_no=NUMBER,
        fee=Money.parse("0.12", "CNY"), provider_status="交易",
    )  # fmt: skip
    assert paid.at.astimezone(UTC) == datetime(2025, 8, 30, 7, 53, 40, tzinfo=UTC)
    assert (back.kind, back.amount, back.out_refund_no) == ("refund", Money.parse("5.00", "CNY"), "R1")


def test_a_day_without_a_bill_is_empty_once_bills_are_made(wire):
    wire.add("POST", URL, body=support.refusal(BILL_CALL, "40004", "isp.bill_not_exist"))
    assert list(make().statement(date(2025, 8, 28))) == []
    with pytest.raises(base.GatewayUnavailable):
        make().statement(date(2025, 8, 30))


@pytest.mark.parametrize("link", ["http://evil.example/bill", "", "file:///etc/passwd"])
def test_a_bill_is_not_fetched_from_anywhere(wire, link):
    wire.add("POST", URL, body=answer(BILL_CALL, {"bill_download_url": link}))
    with pytest.raises(base.GatewayUnavailable):
        make().statement(date(2025, 8, 30))
    assert len(wire.calls) == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"PK", zipped(BILL.replace("-5.00\t,-5.00", "x\t,x")), zipped("a,b\n1,2\n"), zipped(BILL.replace("23:59:59", ""))],
)  # fmt: skip
def test_a_bill_with_a_hole_is_none(content):
    with pytest.raises(base.GatewayUnavailable) as caught:
        bills.read(content)
    assert caught.value.code == "bad_answer"


def test_a_key_is_read_in_every_form():
    bare = "".join(PUBLIC.splitlines()[1:-1])
    for text in (PUBLIC, PUBLIC.replace("\n", "\\n"), bare, bare + "\n"):
        make(public_key=text)
    with pytest.raises(crypto.BadKey):
        make(private_key=PUBLIC)
