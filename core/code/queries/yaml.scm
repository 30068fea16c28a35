; Top-level keys of YAML, in every document of the stream.
(stream (document (block_node (block_mapping (block_mapping_pair key: (_) @name) @key))))
(stream (document (flow_node (flow_mapping (flow_pair key: (_) @name) @key))))
(comment) @comment
