"""What the words of a header hint at.

Belongs here: the patterns, in Chinese and English. Does not belong here: what the values say
(`evidence`), or what follows when both are weighed (`kinds`, `levels`).
"""

from __future__ import annotations

import re
import unicodedata

from pipelines.onboarding import names

_HINTS = {
    "resident_number": r"身份证|公民身份|证件号|证件编号|id_card|id_number|identity",
    "unified_code": r"信用代码|unified_code|uscc|credit_code",
    "phone": r"电话|手机|联系方式|传真|\bphone|mobile|\btel\b|telephone|landline",
    "date": r"日期|时间|年月日|生日|出生|有效期|(?:^|_)(?:date|time)(?:_|$)|"
    r"(?<!up)(?<!candi)date$|time$|timestamp|timepoint|_at$|_on$|birth",
    "birth": r"出生|生日|birth",
    "month": r"年月|月份|所属期|month|period",
    "boolean": r"^是否|^有无|^is_|^has_|flag$",
    "code": r"代码|编号|编码|号码|证号|文号|案号|单号|工号|学号|户号|卡号|账号|车牌|邮编|邮政编码|"
    r"流水号|标识|统一码|序列号|许可证|\bcode|code\b|_no\b|\bno\b|\buuid\b|\bsn\b|postcode|"
    r"\b[a-z]*(?<!pa)(?<!val)(?<!gr)(?<!vo)(?<!so)id$",
    "identifier": r"编号|流水号|标识|主键|唯一|\bid\b|_id\b|number\b|\bcode$|_code$|^代码$|^编码$",
    "sequence": r"^序号$|^序$|^行号$|^no$|^index$|subfeatureindex|sequence_number|^order_?id$",
    "division": r"区划|行政区|地区代码|地区编码|区域代码|code|代码|编码|division|region|adcode",
    "measure": r"数量|人数|户数|个数|次数|面积|金额|产量|产值|价|费|额|率|比|总|均|量|重|长|高|值|"
    r"分数|得分|年龄|count|amount|total|rate|num\b|number_of|area\b|price",
    "year": r"年份|年度|^年$|\byear",
    "longitude": r"经度|longitude|\blon\b|\blng\b|^x坐标",
    "latitude": r"纬度|latitude|\blat\b|^y坐标",
    "person": r"姓名|名字|联系人|法人代表|法定代表人|负责人|经办人|户主|监护人|申请人|申报人|"
    r"当事人|经营者|权利人|产权人|业主|参保人|缴费人|患者|死者|投诉人|举报人|驾驶人|车主|持证人|配偶|父亲|母亲|收件人|"
    r"person_name|full_name|real_name|legal_representative|contact_person|applicant",
    "relation": r"关系|relation",
    "address": r"地址|住址|住所|户籍地|居住地|坐落|门牌|address|residence$",
    "organisation": r"注册|经营|办公|单位|企业|机构|公司|学校|医院|registered|business|office",
    "text": r"内容|详情|范围|简介|说明|描述|意见|备注|主题|标题|摘要|事由|答复|回复|content|detail|"
    r"remark|description|note",
    "statement": r"留言|投诉|举报|诉求|咨询|来信|病历|message|complaint",
    "account": r"用户|账号|账户|微信|车牌|护照|邮箱|email|wechat|passport|plate|\buser",
    "percent": r"率|占比|比例|比重|百分|%|percent|rate\b",
    "ten_thousand": r"万元|万人|万吨|亿元|[(_]万|[(_]亿",
    "sensitive": r"健康状况|诊断|疾病|病史|病种|病情|病名|体检|过敏|残疾|用药|处方|手术|血型|"
    r"传染|宗教|信仰|指纹|虹膜|人脸|声纹|基因|掌纹|银行卡|银行账|开户账|犯罪|前科|性取向|精神|孕|diagnosis|disease|"
    r"religio|fingerprint|biometric|\biris\b|\bface\b|genetic|bank_account|bank_card|disability|"
    r"blood_type|health_status",
}  # fmt: skip
_PATTERNS = {name: re.compile(pattern) for name, pattern in _HINTS.items()}


class Header:
    """A header, and what it hints at."""

    def __init__(self, text: str) -> None:
        self.text = text
        folded = unicodedata.normalize("NFKC", text).lower()
        english = names.translate(text) if text.isascii() else None
        self._spellings = (folded, english or "")

    def hints(self, *names: str) -> bool:
        """Whether it hints at one of these.

        Raises:
            KeyError: no such hint.
        """
        return any(_PATTERNS[n].search(spelling) for n in names for spelling in self._spellings)
