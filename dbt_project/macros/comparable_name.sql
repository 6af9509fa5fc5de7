{# A name in the form in which two registers are compared: bracket width, spaces and the marks
   that different input methods give for one sign are no difference. #}
{% macro comparable_name(name) -%}
    translate(upper({{ name }}), '（）．•・ 　', '()···')
{%- endmacro %}
