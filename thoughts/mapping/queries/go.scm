; What the map reads of Go.
(call_expression function: (_) @call arguments: (_) @arguments)
(function_declaration parameters: (_) @parameters result: (_)? @returns)
(method_declaration parameters: (_) @parameters result: (_)? @returns)
(parameter_declaration name: (identifier) @bind type: (_) @type)
(variadic_parameter_declaration name: (identifier) @bind type: (_) @type)
(short_var_declaration left: (expression_list . (identifier) @bind) right: (expression_list . (_) @value))
(range_clause left: (expression_list) @bind right: (_) @item)
(var_spec name: (identifier) @bind type: (_)? @type value: (expression_list . (_) @value)?)
(field_declaration name: (field_identifier) @field type: (_) @type)
(field_declaration !name type: (_) @base)
(import_spec) @import
