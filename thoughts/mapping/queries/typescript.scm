; What the map reads of TypeScript and TSX.
(call_expression function: (_) @call arguments: (_) @arguments)
(new_expression constructor: (_) @call arguments: (_)? @arguments)
(extends_clause value: (_) @base)
(implements_clause (_) @base)
(method_definition parameters: (_) @parameters return_type: (_)? @returns)
(function_declaration parameters: (_) @parameters return_type: (_)? @returns)
(return_statement (_) @returned)
(required_parameter pattern: (_) @bind type: (_)? @type)
(optional_parameter pattern: (_) @bind type: (_)? @type)
(method_definition (formal_parameters (required_parameter (accessibility_modifier) pattern: (identifier) @field type: (_) @type)))
(public_field_definition name: (property_identifier) @field type: (type_annotation) @type)
(property_signature name: (property_identifier) @field type: (type_annotation) @type)
(variable_declarator name: (_) @bind type: (_)? @type value: (_)? @value)
(assignment_expression left: [(member_expression) (identifier)] @bind right: (_) @value)
(for_in_statement left: (_) @bind right: (_) @item)
(import_statement) @import
(export_statement source: (_)) @import
