{# Whether the model at hand is being built from its last state: not on a whole build, nor while the
   project is parsed, nor in a unit test. #}
{% macro goes_on() -%}
    {{- return(execute and model.resource_type == 'model' and is_incremental()) -}}
{%- endmacro %}
