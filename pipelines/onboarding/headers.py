"""What the words of a header hint at.

Belongs here: the patterns, in Chinese and English. Does not belong here: what the values say
(`evidence`), or what follows when both are weighed (`kinds`, `levels`).
"""

from __future__ import annotations

import re

from pipelines.onboarding import names

_HINTS = {
    "resident_number": r"身份证|公民身份|证件号|证件编号|id_card|id_number|identity",
    "unified_code": r"信用代码|unified_code|uscc|credit_code",
    "phone": r"电话|手机|座机|固话|来电号|主叫|被叫|联系方式|传真|\bphone|mobile|\btel\b|"
    r"telephone|landline",
    "date": r"日期|时间|年月日|生日|出生|有效期|(?:^|_)(?:date|time)(?:_|$)|"
    r"(?<!up)(?<!candi)date$|time$|timestamp|timepoint|_at$|_on$|birth",
    "birth": r"出生|生日|birth",
    "month": r"年月|月份|所属期|账期|month|period",
    "boolean": r"^是否|^有无|标志$|^is_|^has_|flag$",
    "code": r"代码|编号|编码|号码|证号|文号|案号|单号|工号|学号|户号|卡号|账号|车牌|邮编|"
    r"邮政编码|流水号|标识|统一码|序列号|许可证|\bcode|code\b|_no\b|\bno\b|\buuid\b|\bsn\b|"
    r"postcode|\b[a-z]*(?<!pa)(?<!val)(?<!gr)(?<!vo)(?<!so)id$",
    "identifier": r"编号|流水号|标识|主键|唯一|文号|文书号|案号|单号|备案号|合同号|税票号|\bid\b|"
    r"_id\b|number\b|\bcode$|_code$|^代码$|^编码$",
    "sequence": r"^序号$|^序$|^行号$|^no$|^index$|subfeatureindex|sequence_number|^order_?id$",
    "division": r"区划|行政区|"
    r"(?:省|市|区|县|镇|乡|街|街道|村|居|社区|地区|区域|辖区|属地)(?:代码|编码)|division|region|"
    r"adcode|(?:area|city|county|district|province|street|town|township|village)_?code",
    "any_code": r"^(?:新|旧|原|上级|父级)?(?:代码|编码)$|^(?:new_|old_|parent_)?code$",
    "status": r"状态|状况|标志|status|state$|flag$",
    "category": r"类型|类别|种类|性质|状态|等级|级别|性别|民族|标志|方式|type$|kind$|category$|"
    r"status$|grade$|level$|\bsex$|gender$",
    "sex": r"性别|\bsex$|gender$",
    "ethnicity": r"民族|ethnicity",
    "measure": r"数量|人数|户数|个数|次数|面积|金额|产量|产值|价|费|额|率|比|总|均|量|重|长|高|"
    r"值|分数|得分|年龄|count|amount|total|rate|num\b|number_of|area\b|price",
    "year": r"年份|年度|^年$|\byear",
    "longitude": r"经度|longitude|\blon\b|\blng\b|^x坐标",
    "latitude": r"纬度|latitude|\blat\b|^y坐标",
    "person": r"姓名|名字|人名|联系人|法人代表|法定代表人|负责人|经办人|户主|监护人|申请人|"
    r"申报人|当事人|经营者|权利人|产权人|业主|参保人|缴费人|患者|死者|投诉人|驾驶人|车主|持证人|"
    r"配偶|父亲|母亲|收件人|来电人|反映人|举报人|驾驶员|司机|户名|开户名|持卡人|法人姓名|受益人|"
    r"救助对象|person_name|full_name|real_name|legal_representative|contact_person|applicant|"
    r"driver|caller|(?:customer|owner|user|holder|patient|student)_name",
    "relation": r"关系|relation",
    "place": r"经度|纬度|坐标|位置|定位|轨迹|longitude|latitude|\blon\b|\blng\b|\blat\b|location|"
    r"coordinate|geometry|\bgps\b|position$",
    "private": r"婚姻|政治面貌|党员|户口性质|贫困|低保|marital|political",
    "money": r"金额|余额|收入|支出|成本|利润|费用|资产|负债|权益|薪酬|工资|产值|销售额|营业额|税|"
    r"电费|电量|欠费|贷款|income|revenue|profit|cost|assets|liabilit|wage|salary|\btax|loan",
    "capital": r"注册资本|注册资金|实缴资本|registered_capital",
    "address": r"地址|住址|住所|户籍地|居住地|坐落|门牌|address|residence$",
    "organisation": r"注册|经营|办公|单位|企业|机构|公司|学校|医院|registered|business|office",
    "text": r"内容|详情|范围|简介|说明|描述|意见|备注|主题|标题|摘要|事由|答复|回复|content|"
    r"detail|remark|description|note",
    "remark": r"备注|附注|^remarks?$|^notes?$|comment",
    "statement": r"留言|投诉|举报|诉求|咨询|来信|病历|message|complaint",
    "account": r"用户|账号|账户|微信|车牌|号牌|护照|邮箱|电子邮件|社保卡|医保卡|社会保障号|"
    r"社保号|市民卡|卡号|学号|准考证|住院号|门诊号|病历号|保单号|健康卡|学籍号|驾驶证号|驾照|"
    r"军官证|通行证号|居住证号|居住证编号|户口簿|户口号|email|\bqq\b|qq号|wechat|weibo|微博|"
    r"openid|passport|plate|\buser|\bimei\b|\bimsi\b|mac地址|ip地址|\bip\b",
    "percent": r"率|占比|比例|比重|百分|%|percent|rate\b",
    "ten_thousand": r"万元|万人|万吨|亿元|[(_]万|[(_]亿",
    "bank_card": r"银行卡|银行账|银行帐|开户账|收款账|(?:^|_)卡号|账号|bank_account|bank_card|"
    r"account_number",
    "sensitive": r"健康状况|诊断|疾病|病史|病种|病情|病名|体检|过敏|残疾|用药|处方|手术|血型|"
    r"传染|宗教|信仰|指纹|虹膜|人脸|声纹|基因|掌纹|银行卡|银行账|银行帐|开户账|密码|口令|密钥|"
    r"婚史|征信|戒毒|感染|艾滋|肝炎|病因|死因|伤残|犯罪|前科|性取向|精神|孕|diagnosis|disease|"
    r"religio|fingerprint|biometric|\biris\b|\bface\b|genetic|password|passwd|secret|"
    r"bank_account|bank_card|disability|blood_type|health_status",
}  # fmt: skip
_PATTERNS = {name: re.compile(pattern) for name, pattern in _HINTS.items()}


class Header:
    """A header, and what it hints at."""

    def __init__(self, text: str) -> None:
        self.text = text
        folded = names.fold(text).lower()
        english = names.translate(text) if text.isascii() else None
        self._spellings = (folded, english or "")

    def hints(self, *names: str) -> bool:
        """Whether it hints at one of these.

        Raises:
            KeyError: no such hint.
        """
        return any(_PATTERNS[n].search(spelling) for n in names for spelling in self._spellings)
